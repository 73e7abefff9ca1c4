/*-------------------------------------------------------------------------
 *
 * verify.c
 *	  What the HTTP library does not ask of a server's certificate.
 *
 * The only file that sees OpenSSL.  Called from within library callbacks:
 * nothing here throws.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "http/verify.h"

static int	on_certificate(int valid, X509_STORE_CTX *store);
static bool has_host_name(const X509 *certificate);

bool
arazzo_verify_knows(const char *library)
{
	return library != NULL && strncmp(library, "OpenSSL/", 8) == 0;
}

void
arazzo_verify_watch(void *context)
{
	SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), on_certificate);
}

/* Called by OpenSSL for each certificate of a chain; the server's has no depth. */
static int
on_certificate(int valid, X509_STORE_CTX *store)
{
	if (!valid || X509_STORE_CTX_get_error_depth(store) > 0 ||
		has_host_name(X509_STORE_CTX_get_current_cert(store)))
		return valid;
	X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
	return 0;
}

/*
 * Whether it has an alternative name that a host can have.  Without one,
 * libcurl takes the common name for a host's, which no authority has vouched
 * for as such and name constraints do not cover.
 */
static bool
has_host_name(const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool		found = false;
	int			i;

	for (i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++)
	{
		int			type = sk_GENERAL_NAME_value(names, i)->type;

		found = type == GEN_DNS || type == GEN_IPADD;
	}
	GENERAL_NAMES_free(names);
	return found;
}
