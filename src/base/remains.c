#include "base/remains.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGXCPU};
enum { NUM_SIGNALS = sizeof signals / sizeof *signals, MOST_FILES = 8 };

/* Fixed, since a handler reads it. */
static struct {
  volatile sig_atomic_t used;
  char path[PATH_MAX];
  struct stat as;
} file[MOST_FILES];
static pid_t owner; /* not of what it forks */

/* Only what a handler may call. */
static void handle(int number) {
  for (int i = 0; i < MOST_FILES && getpid() == owner; i++) {
    struct stat now;
    if (file[i].used && !lstat(file[i].path, &now) && now.st_dev == file[i].as.st_dev &&
        now.st_ino == file[i].as.st_ino)
      unlink(file[i].path);
  }
  signal(number, SIG_DFL);
  raise(number);
}

static void watch(void) {
  struct sigaction action = {.sa_handler = handle}, was;
  sigemptyset(&action.sa_mask);
  owner = getpid();
  for (int i = 0; i < NUM_SIGNALS; i++)
    if (!sigaction(signals[i], NULL, &was) && was.sa_handler == SIG_DFL)
      sigaction(signals[i], &action, NULL);
}

void pl_remains_add(const char *path) {
  int i = 0;
  while (i < MOST_FILES && file[i].used) i++;
  if (i == MOST_FILES || strlen(path) >= PATH_MAX || lstat(path, &file[i].as)) return;
  strcpy(file[i].path, path);
  file[i].used = 1;
  if (!owner) watch();
}

void pl_remains_drop(const char *path) {
  for (int i = 0; i < MOST_FILES; i++)
    if (file[i].used && !strcmp(file[i].path, path)) file[i].used = 0;
}
