/* What libfaketime leaves out: a wait of C11's threads until an instant, as librdkafka has it. The caller reckons the instant by
   the wrong clock; the kernel waits by the right one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <threads.h>

int cnd_timedwait(cnd_t *condition, mtx_t *held, const struct timespec *until) {
  int (*wait)(cnd_t *, mtx_t *, const struct timespec *) = dlsym(RTLD_NEXT, "cnd_timedwait");
  const char *ahead = getenv("FAKETIME");
  struct timespec right = *until;
  right.tv_sec -= ahead ? atol(ahead) : 0;
  return wait(condition, held, &right);
}
