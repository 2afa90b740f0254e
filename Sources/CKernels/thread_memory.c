// Memory that a thread keeps from its first need of it to its end.
#include "isa/thread_memory.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int is_usable;

static void make_key(void) { is_usable = pthread_key_create(&key, free) == 0; }

float *mk_thread_sums(void) {
    static _Thread_local float *sums;
    if (sums) return sums;
    pthread_once(&once, make_key);
    void *memory;
    if (!is_usable || posix_memalign(&memory, 64, mk_thread_sums_count * sizeof *sums) != 0) return NULL;
    if (pthread_setspecific(key, memory) != 0) {
        free(memory);
        return NULL;
    }
    return sums = memory;
}
