/*-------------------------------------------------------------------------
 *
 * unicode.h
 *	  Properties of characters (Unicode Character Database).
 *
 * PostgreSQL's own tables differ from version to version and its character
 * classes depend on the locale; these do not.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_UNICODE_H
#define ARAZZO_SUPPORT_UNICODE_H

#include "mb/pg_wchar.h"

#define UNICODE_LAST 0x10FFFF

/* General_Category, in the order of unicode_tables.h. */
typedef enum UnicodeCategory
{
	CATEGORY_CN, CATEGORY_CC, CATEGORY_CF, CATEGORY_CO, CATEGORY_CS,
	CATEGORY_LL, CATEGORY_LM, CATEGORY_LO, CATEGORY_LT, CATEGORY_LU,
	CATEGORY_MC, CATEGORY_ME, CATEGORY_MN,
	CATEGORY_ND, CATEGORY_NL, CATEGORY_NO,
	CATEGORY_PC, CATEGORY_PD, CATEGORY_PE, CATEGORY_PF, CATEGORY_PI, CATEGORY_PO, CATEGORY_PS,
	CATEGORY_SC, CATEGORY_SK, CATEGORY_SM, CATEGORY_SO,
	CATEGORY_ZL, CATEGORY_ZP, CATEGORY_ZS
} UnicodeCategory;

/* Script, as far as somebody asks; the rest is SCRIPT_OTHER. */
typedef enum UnicodeScript
{
	SCRIPT_OTHER, SCRIPT_ARABIC, SCRIPT_ARMENIAN, SCRIPT_BENGALI, SCRIPT_BOPOMOFO,
	SCRIPT_CYRILLIC, SCRIPT_DEVANAGARI, SCRIPT_GEORGIAN, SCRIPT_GREEK, SCRIPT_GUJARATI,
	SCRIPT_GURMUKHI, SCRIPT_HAN, SCRIPT_HANGUL, SCRIPT_HEBREW, SCRIPT_HIRAGANA,
	SCRIPT_KANNADA, SCRIPT_KATAKANA, SCRIPT_KHMER, SCRIPT_LAO, SCRIPT_LATIN,
	SCRIPT_MALAYALAM, SCRIPT_MONGOLIAN, SCRIPT_MYANMAR, SCRIPT_SINHALA, SCRIPT_TAMIL,
	SCRIPT_TELUGU, SCRIPT_THAI, SCRIPT_TIBETAN, SCRIPT_COMMON, SCRIPT_INHERITED
} UnicodeScript;

/* Joining_Type: non-joining, causing, dual, left, right, transparent. */
typedef enum UnicodeJoining
{
	JOINING_NONE, JOINING_CAUSING, JOINING_DUAL, JOINING_LEFT, JOINING_RIGHT, JOINING_TRANSPARENT
} UnicodeJoining;

/* Bidi_Class; what the bidi rule of host names does not name is OTHER. */
typedef enum UnicodeDirection
{
	DIRECTION_L, DIRECTION_R, DIRECTION_AL, DIRECTION_AN, DIRECTION_EN, DIRECTION_ES,
	DIRECTION_CS, DIRECTION_ET, DIRECTION_ON, DIRECTION_BN, DIRECTION_NSM, DIRECTION_OTHER
} UnicodeDirection;

extern UnicodeCategory arazzo_unicode_category(pg_wchar code);
extern UnicodeScript arazzo_unicode_script(pg_wchar code);
extern UnicodeJoining arazzo_unicode_joining(pg_wchar code);
extern UnicodeDirection arazzo_unicode_direction(pg_wchar code);

/* Canonical_Combining_Class=Virama */
extern bool arazzo_unicode_is_virama(pg_wchar code);

/*
 * Walks the runs of code points whose category (or script) is among those of
 * the mask, bit 1 << value: calls run for each, in ascending order.
 */
typedef void (*UnicodeRun) (void *owner, pg_wchar first, pg_wchar last);

extern void arazzo_unicode_category_runs(uint32 mask, UnicodeRun run, void *owner);
extern void arazzo_unicode_script_runs(uint32 mask, UnicodeRun run, void *owner);

#endif							/* ARAZZO_SUPPORT_UNICODE_H */
