/*-------------------------------------------------------------------------
 *
 * json_scan.h
 *	  Questions to a JSON text that need no value of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_JSON_SCAN_H
#define ARAZZO_SUPPORT_JSON_SCAN_H

/* Has the outermost object of a JSON text, which must be valid, a member of
 * that name? */
extern bool arazzo_json_has_member(const char *text, size_t length, const char *name);

#endif							/* ARAZZO_SUPPORT_JSON_SCAN_H */
