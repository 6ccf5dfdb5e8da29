/* Certificates and keys: read, written, made. */
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/cleanup.h"
#include "rpctls/rpc_tls.h"

#define SERIAL_BYTES 8

static void bio_free(BIO **bio)
{
	BIO_free(*bio);
}

static void cert_free(X509 **cert)
{
	X509_free(*cert);
}

static BIO *open_bytes(const void *bytes, size_t size)
{
	return bytes && size <= INT_MAX ? BIO_new_mem_buf(bytes, (int)size)
					: NULL;
}

/* An encrypted key has no password here, and nobody is asked for one. */
static int no_password(char *buffer, int size, int writing, void *userdata)
{
	if (size > 0)
		buffer[0] = '\0';
	(void)writing;
	(void)userdata;
	return -1;
}

void rpc_tls_begin(void)
{
	ERR_clear_error();
	errno = 0;
}

/* OpenSSL does not always say so: its decoders go on to the next format. But
 * whoever refused it memory has set errno. */
bool rpc_tls_no_memory(void)
{
	bool is = errno == ENOMEM;
	unsigned long error;

	while ((error = ERR_get_error()) != 0)
		is = is || ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
	return is;
}

binder_status_t rpc_tls_error(binder_status_t otherwise)
{
	return rpc_tls_no_memory() ? STATUS_NO_MEMORY : otherwise;
}

X509 *rpc_cert_read(AvfRpcTls_Format format, const void *bytes, size_t size)
{
	CLEANUP(bio_free) BIO *bio = open_bytes(bytes, size);
	X509 *cert = NULL;

	if (bio && format == AvfRpcTls_Format_Pem)
		cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	if (bio && format == AvfRpcTls_Format_Der)
		cert = d2i_X509_bio(bio, NULL);
	/* bytes behind a certificate are not of it */
	if (cert && format == AvfRpcTls_Format_Der && BIO_pending(bio) > 0) {
		X509_free(cert);
		cert = NULL;
	}
	return cert;
}

EVP_PKEY *rpc_key_read(AvfRpcTls_Format format, const void *bytes, size_t size)
{
	CLEANUP(bio_free) BIO *bio = open_bytes(bytes, size);
	EVP_PKEY *key = NULL;

	if (bio && format == AvfRpcTls_Format_Pem)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (bio && format == AvfRpcTls_Format_Der)
		key = d2i_PrivateKey_bio(bio, NULL);
	return key;
}

/* A number that no other certificate has: names and keys may be the same. */
static bool set_serial(X509 *cert)
{
	unsigned char bytes[SERIAL_BYTES];
	uint64_t number;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	memcpy(&number, bytes, sizeof(number));
	return ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert),
				       number >> 1) == 1;
}

static bool add_name(X509_NAME *name, const char *field, const char *text)
{
	return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC,
					  (const unsigned char *)text, -1, -1,
					  0) == 1;
}

X509 *rpc_cert_make(EVP_PKEY *key, uint32_t seconds)
{
	CLEANUP(cert_free) X509 *cert = X509_new();
	X509_NAME *name;

	if (!cert || X509_set_version(cert, X509_VERSION_3) != 1 ||
	    !set_serial(cert) ||
	    !X509_gmtime_adj(X509_getm_notBefore(cert), 0) ||
	    !X509_gmtime_adj(X509_getm_notAfter(cert), (long)seconds) ||
	    X509_set_pubkey(cert, key) != 1)
		return NULL;
	name = X509_get_subject_name(cert);
	if (!add_name(name, "O", "Android") ||
	    !add_name(name, "CN", "BinderRPC") ||
	    X509_set_issuer_name(cert, name) != 1 ||
	    X509_sign(cert, key, EVP_sha256()) <= 0)
		return NULL;
	return TAKE_PTR(cert);
}

bool rpc_der_of(const X509 *cert, struct rpc_der *ret_der)
{
	unsigned char *bytes = NULL;
	int size = i2d_X509(cert, &bytes);

	if (size <= 0)
		return false;
	ret_der->bytes = bytes;
	ret_der->size = (size_t)size;
	return true;
}

bool rpc_der_same(const struct rpc_der *a, const struct rpc_der *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

void rpc_der_fini(struct rpc_der *der)
{
	OPENSSL_free(der->bytes);
	*der = (struct rpc_der){0};
}
