/* Records what a process does to the files of one folder, in order: every write with its bytes,
 * every sync, every truncation and removal. It is loaded before the C library (LD_PRELOAD), and
 * passes every call on.
 *
 * It can also kill: if the file that PERDURE_DISK_KILL names holds a kind and a number, such as
 * "W 3", the process dies by SIGKILL before its third such step on a log, counted from then on.
 *
 * PERDURE_DISK_FOLDER names the folder, PERDURE_DISK_LOG the file that the records go to. A record
 * is a kind (one byte), the length of the file's name (one byte), the name, then an offset and a
 * length (eight bytes each, of this machine's order), and for a write its bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static size_t folder_length;
static int log_fd = -1;
static const char *kill_file;
static int counted;

#define REAL(name, type, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

__attribute__((constructor)) static void begin(void) {
    const char *where = getenv("PERDURE_DISK_FOLDER");
    const char *log = getenv("PERDURE_DISK_LOG");
    if (where == NULL || log == NULL || realpath(where, folder) == NULL) return;
    folder_length = strlen(folder);
    kill_file = getenv("PERDURE_DISK_KILL");
    log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The name of a path within the folder, or NULL. */
static const char *within(const char *path) {
    if (log_fd < 0 || strncmp(path, folder, folder_length) != 0) return NULL;
    if (path[folder_length] != '/') return NULL;
    const char *name = path + folder_length + 1;
    return strchr(name, '/') == NULL && strlen(name) < 200 ? name : NULL;
}

static const char *name_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return NULL;
    path[length] = '\0';
    return within(path);
}

static void record(char kind, const char *name, int64_t offset, const void *data, uint64_t length) {
    unsigned char head[2 + 200 + 16];
    size_t size = strlen(name);
    head[0] = (unsigned char)kind;
    head[1] = (unsigned char)size;
    memcpy(head + 2, name, size);
    memcpy(head + 2 + size, &offset, 8);
    memcpy(head + 10 + size, &length, 8);
    struct iovec parts[2] = {{head, size + 18}, {(void *)data, data == NULL ? 0 : length}};
    ssize_t whole = (ssize_t)(parts[0].iov_len + parts[1].iov_len);
    if (writev(log_fd, parts, 2) != whole) abort();
}

/* Dies here, if somebody wants that. */
static void meet(char kind, const char *name) {
    char wanted;
    int number;
    size_t size = strlen(name);
    if (kill_file == NULL || size < 4 || strcmp(name + size - 4, "-wal") != 0) return;
    FILE *file = fopen(kill_file, "r");
    if (file == NULL) return;
    if (fscanf(file, "%c %d", &wanted, &number) == 2 && wanted == kind && ++counted >= number)
        raise(SIGKILL);
    fclose(file);
}

/* A call and its record are one step, so that the records are in the order of the calls. */
#define STEP(fd, kind, offset, data, length, call)              \
    char path[PATH_MAX];                                        \
    const char *name = log_fd < 0 ? NULL : name_of(fd, path);   \
    if (name == NULL) return call;                              \
    pthread_mutex_lock(&lock);                                  \
    meet(kind, name);                                           \
    __typeof__(call) result = call;                             \
    if (result >= 0) record(kind, name, offset, data, length);  \
    pthread_mutex_unlock(&lock);                                \
    return result

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    STEP(fd, 'W', offset, data, (uint64_t)result,
         REAL("pwrite64", ssize_t, int, const void *, size_t, off64_t)(fd, data, length, offset));
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    STEP(fd, 'W', offset, data, (uint64_t)result,
         REAL("pwrite", ssize_t, int, const void *, size_t, off_t)(fd, data, length, offset));
}

/* Sequential writes go to the end of their file. */
ssize_t write(int fd, const void *data, size_t length) {
    STEP(fd, 'W', -1, data, (uint64_t)result,
         REAL("write", ssize_t, int, const void *, size_t)(fd, data, length));
}

int fsync(int fd) { STEP(fd, 'S', 0, NULL, 0, REAL("fsync", int, int)(fd)); }

int fdatasync(int fd) { STEP(fd, 'S', 0, NULL, 0, REAL("fdatasync", int, int)(fd)); }

int ftruncate64(int fd, off64_t size) {
    STEP(fd, 'T', size, NULL, 0, REAL("ftruncate64", int, int, off64_t)(fd, size));
}

int ftruncate(int fd, off_t size) {
    STEP(fd, 'T', size, NULL, 0, REAL("ftruncate", int, int, off_t)(fd, size));
}

int unlink(const char *path) {
    char whole[PATH_MAX];
    const char *name = realpath(path, whole) == NULL ? NULL : within(whole);
    pthread_mutex_lock(&lock);
    int result = REAL("unlink", int, const char *)(path);
    if (result == 0 && name != NULL) record('U', name, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}
