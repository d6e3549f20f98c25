#include "pager.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS_MAX = 256, NUMBER_BYTES_MAX = 16, PIN_BYTES_MAX = 16, PAGES_MAX = 64 };

struct pager {
    char number[NUMBER_BYTES_MAX + 1];
    char pin[PIN_BYTES_MAX + 1];
    void (*handler)(const char *from, const char *text);
    int is_on;
};

typedef struct page {
    pager *to;
    char from[NUMBER_BYTES_MAX + 1];
    char text[PAGER_TEXT_BYTES_MAX + 1];
} page;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static int is_running;
static pager numbers[NUMBERS_MAX];
static int number_count;
static page pages[PAGES_MAX];
static int first_page, page_count;

// Hands out pages, one after the other, without the lock: a handler may send.
static void *deliver(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    while (is_running) {
        if (page_count == 0) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        page next = pages[first_page];
        first_page = (first_page + 1) % PAGES_MAX;
        page_count--;
        void (*handler)(const char *, const char *) = next.to->is_on ? next.to->handler : NULL;
        pthread_mutex_unlock(&lock);
        if (handler) handler(next.from, next.text);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

int pager_init(void) {
    pthread_mutex_lock(&lock);
    if (!is_running) {
        is_running = 1;
        first_page = page_count = 0;
        if (pthread_create(&thread, NULL, deliver, NULL) != 0) is_running = 0;
    }
    int result = is_running ? PAGER_OK : PAGER_BUSY;
    pthread_mutex_unlock(&lock);
    return result;
}

static pager *find(const char *number) {
    for (int index = 0; index < number_count; index++) {
        if (strcmp(numbers[index].number, number) == 0) return &numbers[index];
    }
    return NULL;
}

static int open_locked(const char *number, const char *pin, pager **handset) {
    if (strlen(number) > NUMBER_BYTES_MAX || strlen(pin) > PIN_BYTES_MAX) return PAGER_TOO_LONG;
    pager *found = find(number);
    if (!found) {
        if (number_count == NUMBERS_MAX) return PAGER_BUSY;
        found = &numbers[number_count++];
        strcpy(found->number, number);
        strcpy(found->pin, pin);
    }
    if (strcmp(found->pin, pin) != 0) return PAGER_BAD_PIN;
    found->is_on = 1;
    *handset = found;
    return PAGER_OK;
}

int pager_open(const char *number, const char *pin, pager **handset) {
    pthread_mutex_lock(&lock);
    int result = open_locked(number, pin, handset);
    pthread_mutex_unlock(&lock);
    return result;
}

void pager_on_page(pager *handset, void (*handler)(const char *from, const char *text)) {
    pthread_mutex_lock(&lock);
    handset->handler = handler;
    pthread_mutex_unlock(&lock);
}

static int queue_locked(pager *to, const char *from, const char *text) {
    if (page_count == PAGES_MAX) return PAGER_BUSY;
    page *last = &pages[(first_page + page_count++) % PAGES_MAX];
    last->to = to;
    strcpy(last->from, from);
    strcpy(last->text, text);
    pthread_cond_signal(&changed);
    return PAGER_OK;
}

static int send_locked(pager *handset, const char *number, const char *text) {
    if (strlen(text) > PAGER_TEXT_BYTES_MAX) return PAGER_TOO_LONG;
    if (strcmp(number, "0") == 0) return queue_locked(handset, "0", "At the third stroke, it will be later.");
    pager *to = find(number);
    if (!to) return PAGER_NO_SUCH_NUMBER;
    return to->is_on ? queue_locked(to, handset->number, text) : PAGER_SWITCHED_OFF;
}

int pager_send(pager *handset, const char *number, const char *text) {
    pthread_mutex_lock(&lock);
    int result = send_locked(handset, number, text);
    pthread_mutex_unlock(&lock);
    return result;
}

void pager_close(pager *handset) {
    pthread_mutex_lock(&lock);
    handset->is_on = 0;
    handset->handler = NULL;
    pthread_mutex_unlock(&lock);
}

void pager_shutdown(void) {
    pthread_mutex_lock(&lock);
    int was_running = is_running;
    is_running = 0;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    if (was_running) pthread_join(thread, NULL);
}
