/*-------------------------------------------------------------------------
 *
 * credential.h
 *	  Which credentials a call carries, and where.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_CREDENTIAL_H
#define ARAZZO_DRIVE_CREDENTIAL_H

#include "drive/call.h"

/*
 * Chooses among the alternatives of the operation's security by what the
 * connection has; a failure when it has nothing that would do.
 */
extern ArazzoFailure *arazzo_credential_choose(DriveCall *call, const RunNext *next,
											   CallConnect connect, void *owner);

/* Makes the request: the plain one with the credentials that were chosen. */
extern void arazzo_credential_apply(DriveCall *call);

/*
 * Chooses others after these were refused: the other of two keys, another
 * token.  False when there are none.
 */
extern bool arazzo_credential_change(DriveCall *call);

/* Those that were chosen then were taken: they come first from now on, for
 * this role and server, in this session. */
extern void arazzo_credential_prefer(const DriveCall *call);

/* Does a request have the header?  Without case. */
extern bool arazzo_credential_has_header(const ArazzoRequest *request, const char *name);

#endif							/* ARAZZO_DRIVE_CREDENTIAL_H */
