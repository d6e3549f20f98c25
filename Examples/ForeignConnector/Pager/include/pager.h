// libpager: a small paging network in one process. It knows nothing of Plugboard.
//
// Each handset has a number and logs in with a PIN. A page goes to another handset by its number; pages come in through a
// handler, on the library's own thread. All handsets of a process share the network.
#ifndef PAGER_H
#define PAGER_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pager pager;

#define PAGER_OK 0
#define PAGER_NO_SUCH_NUMBER (-1)  // nobody has ever had it
#define PAGER_SWITCHED_OFF (-2)    // try again later
#define PAGER_BAD_PIN (-3)
#define PAGER_BUSY (-4)            // too many pages wait
#define PAGER_TOO_LONG (-5)

#define PAGER_TEXT_BYTES_MAX 500

// Starts the network's thread; once, before all else.
int pager_init(void);

// Switches a handset on. A number belongs to whoever first used it, with that PIN. *handset is set if it returns PAGER_OK.
int pager_open(const char *number, const char *pin, pager **handset);

// Sets what is called for each page that comes in. It is called on the library's thread, not told which handset it is for,
// and its arguments are gone when it returns.
void pager_on_page(pager *handset, void (*handler)(const char *from, const char *text));

// Sends a page; may take a while, as radio does. The number 0 is the speaking clock: it pages back.
int pager_send(pager *handset, const char *number, const char *text);

// Switches a handset off.
void pager_close(pager *handset);

// Ends the network's thread. All handsets must be switched off. No handler is called, or still at work, when it returns.
void pager_shutdown(void);

#ifdef __cplusplus
}
#endif

#endif
