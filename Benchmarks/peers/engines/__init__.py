"""One file for each engine: how a row of the race is measured through its public interface."""
