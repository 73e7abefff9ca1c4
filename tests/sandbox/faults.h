/*
 * faults.h
 *	  Failures on demand for the next calls of a path.
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
