/*-------------------------------------------------------------------------
 *
 * schema_internal.h
 *	  The compiled form of a schema, between the files of this room.
 *
 * A schema object becomes a node: its keywords sorted into groups by the
 * type of instance they speak of, and a short list of steps that apply the
 * groups it has.  References are pointers, so a recursive schema is a cyclic
 * graph.  A compiled schema points into no document: what it needs of one
 * was copied.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SCHEMA_SCHEMA_INTERNAL_H
#define ARAZZO_SCHEMA_SCHEMA_INTERNAL_H

#include "utils/hsearch.h"
#include "utils/numeric.h"

#include "schema/schema.h"
#include "support/regex.h"

typedef struct SchemaResource SchemaResource;
typedef struct Validation Validation;
typedef struct Evaluated Evaluated;
typedef struct Place Place;

/* Types of instances as bits; an integer is a number as well. */
#define TYPE_NULL		SCHEMA_TAKES_NULL
#define TYPE_BOOLEAN	SCHEMA_TAKES_BOOLEAN
#define TYPE_NUMBER		SCHEMA_TAKES_NUMBER
#define TYPE_INTEGER	SCHEMA_TAKES_INTEGER
#define TYPE_STRING		SCHEMA_TAKES_STRING
#define TYPE_ARRAY		SCHEMA_TAKES_ARRAY
#define TYPE_OBJECT		SCHEMA_TAKES_OBJECT

/* Vocabularies (JSON Schema Core, 8.1) as bits. */
#define VOCABULARY_CORE				0x01
#define VOCABULARY_APPLICATOR		0x02
#define VOCABULARY_UNEVALUATED		0x04
#define VOCABULARY_VALIDATION		0x08
#define VOCABULARY_META_DATA		0x10
#define VOCABULARY_FORMAT_ANNOTATION 0x20
#define VOCABULARY_FORMAT_ASSERTION 0x40
#define VOCABULARY_CONTENT			0x80
#define VOCABULARY_DEFAULT			0xBF

/* Drafts and dialects as bits: which keywords they know. */
#define DRAFT_2020_12	0x01
#define DRAFT_2019_09	0x02
#define DRAFT_7			0x04	/* and before */
#define DRAFT_OPENAPI	0x08	/* the Schema Object of OpenAPI 3.0 */

/* Keyword of a count that was not given. */
#define NO_COUNT (-1)

/* Values to compare with: enum, const. */
typedef struct ValueSet
{
	JsonbValue *values;
	int			count;
	uint32	   *hashes;			/* of the values, NULL while the set is small */
	int		   *slots;			/* open addressing: index + 1, or 0 */
	uint32		slot_mask;
} ValueSet;

typedef struct NodeList
{
	SchemaNode **nodes;
	int			count;
} NodeList;

typedef struct Pattern
{
	ArazzoRegex *regex;
	const char *text;			/* as the schema has it */
} Pattern;

typedef enum NumberBound
{
	BOUND_MINIMUM,
	BOUND_MAXIMUM,
	BOUND_EXCLUSIVE_MINIMUM,
	BOUND_EXCLUSIVE_MAXIMUM
} NumberBound;

#define NUMBER_BOUNDS (BOUND_EXCLUSIVE_MAXIMUM + 1)

typedef struct NumberRules
{
	Numeric		bounds[NUMBER_BOUNDS];	/* by NumberBound, NULL: none */
	bool		exclusive[NUMBER_BOUNDS];	/* OpenAPI 3.0: minimum, maximum */
	Numeric		multiple_of;
	Numeric		zero;
} NumberRules;

typedef struct StringRules
{
	int64		min_length;
	int64		max_length;
	Pattern    *pattern;
} StringRules;

typedef struct ArrayRules
{
	NodeList	prefix;
	SchemaNode *items;			/* of the elements after the prefix */
	SchemaNode *additional;		/* additionalItems */
	bool		has_item_list;	/* items is a list, as it was before 2020-12 */
	SchemaNode *contains;
	int64		min_contains;
	int64		max_contains;
	int64		min_items;
	int64		max_items;
	bool		unique;
} ArrayRules;

/* A member that properties or required names. */
typedef struct SchemaProperty
{
	const char *name;
	int			length;
	SchemaNode *node;			/* NULL when it is only required */
	bool		required;
} SchemaProperty;

typedef struct PatternProperty
{
	Pattern		pattern;
	SchemaNode *node;
} PatternProperty;

/* dependentRequired and dependentSchemas of one member. */
typedef struct Dependency
{
	const char *name;
	int			length;
	const char *keyword;
	List	   *names;			/* of char * */
	SchemaNode *node;
} Dependency;

typedef struct ObjectRules
{
	SchemaProperty *properties; /* in the order of jsonb keys */
	int			property_count;
	PatternProperty *patterns;
	int			pattern_count;
	SchemaNode *additional;
	SchemaNode *names;
	int64		min_properties;
	int64		max_properties;
	List	   *dependencies;	/* of Dependency */
	bool		looks_at_members;	/* otherwise it only counts them */
} ObjectRules;

/* format, when it is asserted. */
typedef struct FormatRule
{
	const char *name;
	bool		(*check_string) (const char *data, int length);
	bool		(*check_number) (Numeric number);
} FormatRule;

/* $dynamicRef whose first target is a $dynamicAnchor */
typedef struct DynamicReference
{
	const char *name;
	SchemaNode *initial;
} DynamicReference;

typedef bool (*SchemaStep) (Validation *v, const SchemaNode *node, const JsonbValue *value,
							const Place *place, Evaluated *evaluated);

struct SchemaNode
{
	/* where it stands, for messages */
	const SchemaNode *parent;
	const char *location;		/* below the parent, or absolute */

	SchemaResource *resource;
	bool		denies;			/* the schema false */

	SchemaStep *steps;			/* applied in this order; the schema true has none */
	int			step_count;
	SchemaStep *inner_steps;	/* what step_unevaluated runs itself */
	int			inner_count;

	int			types;			/* 0 when any will do */
	bool		nullable;		/* OpenAPI 3.0 */
	ValueSet   *enumeration;
	JsonbValue *constant;
	NumberRules *number;
	StringRules *string;
	ArrayRules *array;
	ObjectRules *object;
	const FormatRule *format;

	SchemaNode *reference;
	DynamicReference *dynamic;
	NodeList	all_of;
	NodeList	any_of;
	NodeList	one_of;
	SchemaNode *negated;
	SchemaNode *condition;
	SchemaNode *consequence;
	SchemaNode *alternative;
	SchemaNode *unevaluated_items;
	SchemaNode *unevaluated_properties;

	JsonbValue *fallback;		/* default */
};

/* A place that $anchor or $dynamicAnchor names. */
typedef struct SchemaAnchor
{
	const char *name;
	bool		dynamic;
	JsonbValue *value;			/* while compiling */
	SchemaNode *node;			/* dynamic ones that somebody may look for */
} SchemaAnchor;

/* A schema resource (JSON Schema Core, 4.3.5): what $id or a document names. */
struct SchemaResource
{
	const char *uri;			/* without fragment, "" when it has none */
	const char *shown;			/* before pointers in messages */
	int			draft;			/* DRAFT_ bit */
	int			vocabularies;
	List	   *anchors;		/* of SchemaAnchor */
	const JsonbValue *root;		/* while compiling */
};

struct ArazzoSchema
{
	SchemaNode *root;
	int			node_count;
	bool		is_dynamic;		/* some $dynamicRef needs the scope */
	bool		has_defaults;	/* else there is nothing to fill in */
};

/* ---- compiling ---- */

typedef struct Compiler
{
	ArazzoSchema *schema;
	const SchemaOptions *options;
	ArazzoFailure *failure;
	MemoryContext scratch;
	HTAB	   *nodes;			/* NodeEntry by container */
	HTAB	   *homes;			/* HomeEntry by container: which resource */
	List	   *resources;		/* of SchemaResource */
	List	   *dynamic_names;	/* of char *: names that $dynamicRef uses */
	SchemaResource *document;	/* the resource of the root */
	bool		searched_components;
} Compiler;

/* Where a reference leads. */
typedef struct Target
{
	const JsonbValue *value;
	SchemaResource *resource;
	SchemaAnchor *anchor;		/* by whose name it was found, or NULL */
	const char *location;
} Target;

/* compile.c */
extern SchemaNode *arazzo_schema_node(Compiler *c, const JsonbValue *value, SchemaResource *resource,
									  const SchemaNode *parent, const char *location);
extern SchemaNode *arazzo_schema_child(Compiler *c, const JsonbValue *value, SchemaNode *parent,
									   const char *keyword);
extern void arazzo_schema_malformed(Compiler *c, const SchemaNode *node, const char *format,...) pg_attribute_printf(3, 4);
extern char *arazzo_schema_location(const SchemaNode *node, const char *keyword);
extern void arazzo_schema_place_failure(Compiler *c, const SchemaNode *node);

/* keyword.c */
typedef void (*KeywordCompile) (Compiler *c, SchemaNode *node, const JsonbValue *value);

typedef enum KeywordChildren
{
	CHILDREN_NONE,
	CHILDREN_SCHEMA,
	CHILDREN_LIST,
	CHILDREN_MAP,
	CHILDREN_SCHEMA_OR_LIST
} KeywordChildren;

typedef struct Keyword
{
	const char *name;
	int			vocabularies;
	int			drafts;
	KeywordChildren children;
	KeywordCompile compile;		/* NULL: looked at elsewhere, or not at all */
} Keyword;

extern const Keyword *arazzo_schema_keyword(const char *name, int length);

/* keyword_assert.c */
extern void arazzo_schema_compile_type(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_enum(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_const(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_nullable(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_default(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_format(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_minimum(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_maximum(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_exclusive_minimum(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_exclusive_maximum(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_multiple_of(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_min_length(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_max_length(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_pattern(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern int64 arazzo_schema_count(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value);
extern bool arazzo_schema_boolean(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value);
extern bool arazzo_schema_pattern(Compiler *c, const SchemaNode *node, const char *text, int length, Pattern *pattern);
extern void arazzo_schema_finish_scalars(Compiler *c, SchemaNode *node);

/* keyword_object.c */
extern void arazzo_schema_compile_properties(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_required(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_pattern_properties(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_additional_properties(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_property_names(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_min_properties(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_max_properties(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_dependent_required(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_dependent_schemas(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_dependencies(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_finish_object(Compiler *c, SchemaNode *node);

/* keyword_array.c */
extern void arazzo_schema_compile_prefix_items(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_items(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_additional_items(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_contains(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_min_contains(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_max_contains(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_min_items(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_max_items(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_unique_items(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_finish_array(Compiler *c, SchemaNode *node);

/* keyword_apply.c */
extern void arazzo_schema_compile_reference(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_dynamic_reference(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_all_of(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_any_of(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_one_of(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_not(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_if(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_then(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_else(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_unevaluated_items(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern void arazzo_schema_compile_unevaluated_properties(Compiler *c, SchemaNode *node, const JsonbValue *value);
extern NodeList arazzo_schema_node_list(Compiler *c, SchemaNode *node, const char *keyword, const JsonbValue *value);
extern void arazzo_schema_finish_dynamic(Compiler *c);

/* reference.c */
extern void arazzo_schema_references_init(Compiler *c, const JsonbValue *root);
extern SchemaResource *arazzo_schema_home(Compiler *c, const JsonbValue *value, SchemaResource *inherited);
extern bool arazzo_schema_resolve(Compiler *c, const char *reference, SchemaResource *from, Target *target);

/* format.c: NULL when the format is not known */
extern const FormatRule *arazzo_schema_format(const char *name, int length, int draft);

/* metaschema.c */
extern const char *arazzo_schema_builtin(const char *uri);

/* ---- validating ---- */

/* Where validation is in the instance. */
struct Place
{
	const Place *parent;
	const char *key;			/* NULL: an index */
	int			length;
	int			index;
};

/* The schema resources that validation has entered, innermost first. */
typedef struct Scope
{
	const struct Scope *outer;
	const SchemaResource *resource;
} Scope;

struct Validation
{
	const ArazzoSchema *schema;
	List	  **errors;			/* NULL: stop at the first */
	const Scope *scope;
	int			in_place;		/* schemas applied to the same instance */
	bool		abandoned;		/* a loop was found, in ... */
	const SchemaNode *loop;
};

/*
 * Which members or elements of one instance were evaluated (JSON Schema
 * Core, 11), kept only where unevaluatedProperties or unevaluatedItems asks.
 */
#define EVALUATED_INLINE 64

struct Evaluated
{
	int			count;
	bool		all;
	bool		uncertain;		/* no branch held, so nobody knows */
	uint8	   *bits;
	uint8		few[EVALUATED_INLINE];
};

/* "1 item", "2 items" */
#define PLURAL(count) ((count) == 1 ? "" : "s")

/* validate.c */
extern bool arazzo_schema_apply(Validation *v, const SchemaNode *node, const JsonbValue *value,
								const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_apply_below(Validation *v, const SchemaNode *node, const JsonbValue *value,
									  const Place *place);
extern bool arazzo_schema_violation(Validation *v, const SchemaNode *node, const Place *place,
									const char *keyword, const char *format,...) pg_attribute_printf(5, 6);
extern int	arazzo_schema_type_of(const JsonbValue *value);
extern char *arazzo_schema_type_names(int types);
extern bool arazzo_schema_is_integer(Numeric number);
extern char *arazzo_schema_shown(const JsonbValue *value);
extern char *arazzo_schema_shown_number(Numeric number);

/* value_set.c */
extern ValueSet *arazzo_schema_set_make(const JsonbValue *array);
extern bool arazzo_schema_set_contains(const ValueSet *set, const JsonbValue *value);

/* unevaluated.c */
extern void arazzo_evaluated_init(Evaluated *evaluated, const JsonbValue *value);
extern void arazzo_evaluated_mark(Evaluated *evaluated, int index);
extern bool arazzo_evaluated_has(const Evaluated *evaluated, int index);
extern void arazzo_evaluated_merge(Evaluated *evaluated, const Evaluated *other);
extern void arazzo_evaluated_release(Evaluated *evaluated);

/* Steps: validate.c */
extern bool arazzo_schema_step_type(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_enum(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_const(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_number(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_string(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_format(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);

/* validate_array.c, validate_object.c */
extern bool arazzo_schema_step_array(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_object(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);

/* applicators.c */
extern bool arazzo_schema_step_reference(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_dynamic(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_all_of(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_any_of(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_one_of(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_not(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);
extern bool arazzo_schema_step_if(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);

/*
 * unevaluated.c: runs the other steps of the node first, since what they
 * evaluate is what this is about.
 */
extern bool arazzo_schema_step_unevaluated(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place, Evaluated *evaluated);

#endif							/* ARAZZO_SCHEMA_SCHEMA_INTERNAL_H */
