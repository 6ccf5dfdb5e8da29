#include <criterion/criterion.h>

#include <openssl/pem.h>
#include <string.h>

#include "base/checked.h"
#include "rpctls/rpc_tls.h"

#define ROOM 4096

static EVP_PKEY *key;
static X509 *cert;

static void set_up(void)
{
	key = EVP_EC_gen("P-256");
	cert = rpc_cert_make(key, 60);
	cr_assert(cert);
}

static void tear_down(void)
{
	X509_free(cert);
	EVP_PKEY_free(key);
}

TestSuite(cert, .init = set_up, .fini = tear_down);

/* What is in @bio, which is freed. */
static size_t take(BIO *bio, char *bytes)
{
	int n = BIO_read(bio, bytes, ROOM);

	BIO_free(bio);
	cr_assert_gt(n, 0);
	return (size_t)n;
}

static size_t der_of_cert(char *bytes)
{
	BIO *bio = BIO_new(BIO_s_mem());

	cr_assert_eq(i2d_X509_bio(bio, cert), 1);
	return take(bio, bytes);
}

static size_t pem_of_key(char *bytes, const EVP_CIPHER *cipher)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char password[] = "secret";

	cr_assert_eq(PEM_write_bio_PrivateKey(bio, key, cipher, NULL, 0, NULL,
					      cipher ? password : NULL),
		     1);
	return take(bio, bytes);
}

Test(cert, is_as_androids)
{
	char name[128];

	cr_expect_str_eq(X509_NAME_oneline(X509_get_subject_name(cert), name,
					   sizeof(name)),
			 "/O=Android/CN=BinderRPC");
	cr_expect_eq(X509_verify(cert, key), 1, "signed by its own key");
	cr_expect_eq(X509_get_signature_nid(cert), NID_ecdsa_with_SHA256);
	cr_expect_eq(X509_cmp_current_time(X509_get0_notBefore(cert)), -1);
	cr_expect_eq(X509_cmp_current_time(X509_get0_notAfter(cert)), 1);
}

Test(cert, no_two_are_the_same)
{
	X509 *other = rpc_cert_make(key, 60);
	struct rpc_der one, two, again;

	cr_assert(rpc_der_of(cert, &one) && rpc_der_of(other, &two) &&
		  rpc_der_of(cert, &again));
	cr_expect_not(rpc_der_same(&one, &two));
	cr_expect(rpc_der_same(&one, &again));
	again.bytes[again.size - 1] ^= 1;
	cr_expect_not(rpc_der_same(&one, &again), "the last byte counts");
	again.bytes[again.size - 1] ^= 1;
	again.size--;
	cr_expect_not(rpc_der_same(&one, &again), "and the length");
	rpc_der_fini(&one);
	rpc_der_fini(&two);
	rpc_der_fini(&again);
	rpc_der_fini(&again); /* empty now */
	X509_free(other);
}

Test(cert, bytes_that_are_none)
{
	static const char *const texts[] = {
		"",
		"x",
		"0",
		"-----BEGIN CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END "
		"CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\n!!!!\n-----END "
		"CERTIFICATE-----\n",
		"\x30\x82\xff\xff",
		"\x30\x84\x7f\xff\xff\xff",
	};
	char bytes[ROOM + 8];
	size_t size = der_of_cert(bytes);
	X509 *found;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cr_expect_null(rpc_cert_read(AvfRpcTls_Format_Pem, texts[i],
					     strlen(texts[i])),
			       "text %zu", i);
		cr_expect_null(rpc_cert_read(AvfRpcTls_Format_Der, texts[i],
					     strlen(texts[i])),
			       "bytes %zu", i);
	}
	cr_expect_null(rpc_cert_read(AvfRpcTls_Format_Pem, bytes, size));
	cr_expect_null(rpc_cert_read((AvfRpcTls_Format)2, bytes, size));
	cr_expect_null(rpc_cert_read(AvfRpcTls_Format_Der, NULL, size));
	for (size_t cut = 1; cut < size; cut++)
		cr_assert_null(rpc_cert_read(AvfRpcTls_Format_Der, bytes, cut),
			       "%zu of %zu bytes", cut, size);
	bytes[size] = 0;
	cr_expect_null(rpc_cert_read(AvfRpcTls_Format_Der, bytes, size + 1),
		       "something behind it");
	found = rpc_cert_read(AvfRpcTls_Format_Der, bytes, size);
	cr_expect(found && X509_cmp(found, cert) == 0);
	X509_free(found);
}

/* An encrypted key is refused, and nobody is asked for its password. */
Test(cert, keys, .timeout = 60)
{
	char bytes[ROOM];
	size_t size = pem_of_key(bytes, EVP_aes_128_cbc());
	EVP_PKEY *found;
	BIO *bio;

	cr_expect_null(rpc_key_read(AvfRpcTls_Format_Pem, bytes, size));
	size = pem_of_key(bytes, NULL);
	found = rpc_key_read(AvfRpcTls_Format_Pem, bytes, size);
	cr_expect_eq(EVP_PKEY_eq(found, key), 1);
	EVP_PKEY_free(found);
	cr_expect_null(rpc_key_read(AvfRpcTls_Format_Der, bytes, size));
	cr_expect_null(rpc_key_read(AvfRpcTls_Format_Pem, bytes, size / 2));
	bio = BIO_new(BIO_s_mem());
	cr_assert_eq(i2d_PrivateKey_bio(bio, key), 1);
	size = take(bio, bytes);
	found = rpc_key_read(AvfRpcTls_Format_Der, bytes, size);
	cr_expect_eq(EVP_PKEY_eq(found, key), 1);
	EVP_PKEY_free(found);
	cr_expect_null(rpc_key_read(AvfRpcTls_Format_Der, bytes, size - 1));
	cr_expect_null(rpc_key_read(AvfRpcTls_Format_Der, bytes, 0));
}
