/*-------------------------------------------------------------------------
 *
 * structure.h
 *	  What the walk over a document's structure and the rules beside its
 *	  tables share.  Private to the room.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORKFLOW_STRUCTURE_H
#define ARAZZO_WORKFLOW_STRUCTURE_H

#include "lib/stringinfo.h"

#include "workflow/check.h"

typedef struct StructureCheck
{
	List	   *findings;
	StringInfoData pointer;		/* of the node at hand */
	bool		version_1_1;
} StructureCheck;

/* Adds a finding at the place; returned for a hint to be added. */
extern ArazzoFinding *arazzo_structure_report(StructureCheck *check, bool error, const char *code,
											  const ArazzoNode *place, const char *format,...) pg_attribute_printf(5, 6);

/*
 * What a table cannot say about an object: fields that exclude each other or
 * need each other, words and versions that are allowed.
 */
extern void arazzo_structure_root(StructureCheck *check, const ArazzoNode *root);
extern void arazzo_structure_source(StructureCheck *check, const ArazzoNode *source);
extern void arazzo_structure_step(StructureCheck *check, const ArazzoNode *step);
extern void arazzo_structure_parameter(StructureCheck *check, const ArazzoNode *parameter);
extern void arazzo_structure_success_action(StructureCheck *check, const ArazzoNode *action);
extern void arazzo_structure_failure_action(StructureCheck *check, const ArazzoNode *action);
extern void arazzo_structure_criterion(StructureCheck *check, const ArazzoNode *criterion);
extern void arazzo_structure_expression_type(StructureCheck *check, const ArazzoNode *type);
extern void arazzo_structure_replacement(StructureCheck *check, const ArazzoNode *replacement);
extern void arazzo_structure_output(StructureCheck *check, const ArazzoNode *value);

#endif							/* ARAZZO_WORKFLOW_STRUCTURE_H */
