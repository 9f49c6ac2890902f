/* Those functions for digests are deprecated since 3.0, and there as long as libcrypto.so.3 is. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/err.h>
#include <openssl/sha.h>

/* A key behind a passphrase is no key for a daemon: libcrypto would ask the terminal for it. */
static inline int refuse_passphrase(char *buffer, int size, int writing, void *context) {
    (void)buffer; (void)size; (void)writing; (void)context;
    return -1;
}
