/*-------------------------------------------------------------------------
 *
 * media_type.h
 *	  Media types (RFC 9110, 8.3) beyond what serialize.h offers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_OPENAPI_MEDIA_TYPE_H
#define ARAZZO_OPENAPI_MEDIA_TYPE_H

/* Type and subtype in lower case, without parameters and blanks; "" for
 * NULL. */
extern char *arazzo_media_type_essence(const char *content_type);

/* A parameter's value, unquoted; NULL when there is none. */
extern char *arazzo_media_type_parameter(const char *content_type, const char *name);

/*
 * How closely a description's media type or range fits a media type: 0 not
 * at all, more for what is more specific.
 */
extern int	arazzo_media_type_fit(const char *range, const char *content_type);

/* Types with a "*" in them, which cannot be sent. */
extern bool arazzo_media_type_is_range(const char *content_type);

extern bool arazzo_media_type_is_xml(const char *content_type);
extern bool arazzo_media_type_is_yaml(const char *content_type);

/* Types whose bodies are characters, not bytes. */
extern bool arazzo_media_type_is_text(const char *content_type);

#endif							/* ARAZZO_OPENAPI_MEDIA_TYPE_H */
