/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  Background workers, which work queued runs off by themselves.
 *
 * A launcher, one for the server, starts workers for the databases that
 * arazzo.databases names, and starts them again when they end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_WORKER_H
#define ARAZZO_WORK_WORKER_H

/* Defines the settings; registers the launcher when the library is preloaded
 * by the server. */
extern void arazzo_worker_init(void);

/* A launcher's or a worker's part of the settings, as they are now. */
extern char *arazzo_worker_databases;	/* names, separated by commas */
extern int	arazzo_worker_count;	/* of each database */

/* Name of the function that is a worker, and its argument: the database's
 * name stands in bgw_extra. */
#define WORKER_FUNCTION "arazzo_worker_main"
#define LAUNCHER_FUNCTION "arazzo_launcher_main"
#define WORKER_LIBRARY "amberflo_arazzo"

#endif							/* ARAZZO_WORK_WORKER_H */
