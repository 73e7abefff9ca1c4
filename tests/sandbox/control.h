/*
 * control.h
 *	  The test control paths below /_sandbox/.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "sandbox.h"

extern const Route control_routes[];

/* Forget everything but the settings. */
extern void control_reset(void);

/* The same, and free what is left, before the end. */
extern void control_clear(void);

#endif							/* CONTROL_H */
