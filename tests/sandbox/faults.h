/*
 * faults.h
 *	  Failures on demand for the next calls of a path.
 *
 * A fault is posted as {"path": …, "fault": …}; a path that ends with "*" is
 * a beginning.  What it hits: method, contains (text in the body), skip (calls
 * that pass first), count (calls, 1).  Any of them may give a status, headers
 * (object or array of pairs), type (the content type) and body to the answer,
 * and say with taken whether the request takes effect; otherwise it does so
 * unless the name says before, or the fault is a status.
 *
 *	status			an answer with that status (500)
 *	reset_before, reset_after	RST in place of an answer
 *	close_before, close_after	end of the connection in place of an answer
 *	slow			answered after ms milliseconds (1000)
 *	hold			answered when released
 *	truncated		half of the announced body
 *	oversized		a JSON string of bytes (100 MB; -1: without end)
 *	not_json		HTML that says it is JSON
 *	gzip_bomb		the same as oversized, packed
 *	latin1			bytes that are not UTF-8
 */
#ifndef FAULTS_H
#define FAULTS_H

#include "sandbox.h"

typedef struct Fault Fault;

/* Control: add one described in JSON, list those left, drop all. */
extern void faults_post(Request *req, Answer *ans);
extern void faults_get(Request *req, Answer *ans);
extern void faults_delete(Request *req, Answer *ans);
extern void faults_clear(void);

/*
 * The fault that this request is to suffer, or NULL; it is used up by being
 * asked for, and stays valid until the next call.
 */
extern const Fault *faults_take(const Request *req);

extern const char *fault_name(const Fault *fault);

/* Whether the request takes effect all the same. */
extern bool fault_takes_in(const Fault *fault);

/* Spoil the answer, which is empty when the request was not taken in. */
extern void fault_apply(const Fault *fault, Request *req, Answer *ans);

#endif							/* FAULTS_H */
