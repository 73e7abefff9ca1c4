/*-------------------------------------------------------------------------
 *
 * jsonpath_children.c
 *	  Children of jsonb values, without allocating.
 *
 * A container holds an entry for each child (for an object: for each name,
 * then for each value) and, behind them, the data that the entries describe;
 * see utils/jsonb.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression/jsonpath_children.h"

static void fill(JsonbValue *value, JsonbContainer *container, uint32 entry, uint32 offset);
static char *container_data(JsonbContainer *container);

void
arazzo_jsonpath_children(JsonPathChildren *children, const JsonbValue *value)
{
	children->index = 0;
	children->count = arazzo_value_count(value);
	children->name_offset = 0;
	children->value_offset = 0;
	if (children->count == 0)
		return;
	children->container = value->val.binary.data;
	if (JsonContainerIsObject(children->container))
		children->value_offset = getJsonbOffset(children->container, children->count);
}

bool
arazzo_jsonpath_next_child(JsonPathChildren *children, JsonbValue *child, JsonPathStep *step)
{
	JsonbContainer *container = children->container;
	uint32		entry = children->index;

	if (children->index >= children->count)
		return false;
	step->name = NULL;
	step->length = entry;
	if (JsonContainerIsObject(container))
	{
		step->name = container_data(container) + children->name_offset;
		step->length = getJsonbLength(container, entry);
		JBE_ADVANCE_OFFSET(children->name_offset, container->children[entry]);
		entry += children->count;
	}
	fill(child, container, entry, children->value_offset);
	JBE_ADVANCE_OFFSET(children->value_offset, container->children[entry]);
	children->index++;
	return true;
}

bool
arazzo_jsonpath_member(const JsonbValue *object, const char *name, int length, JsonbValue *child)
{
	if (!arazzo_value_is_object(object))
		return false;
	return getKeyJsonValueFromContainer(object->val.binary.data, name, length, child) != NULL;
}

bool
arazzo_jsonpath_element(const JsonbValue *array, int64 index, JsonPathStep *step,
						JsonbValue *child)
{
	int64		count = arazzo_value_count(array);

	if (!arazzo_value_is_array(array))
		return false;
	if (index < 0)
		index += count;
	if (index < 0 || index >= count)
		return false;
	if (step != NULL)
	{
		step->name = NULL;
		step->length = index;
	}
	fill(child, array->val.binary.data, index, getJsonbOffset(array->val.binary.data, index));
	return true;
}

/* Makes the value of an entry whose data begin at an offset. */
static void
fill(JsonbValue *value, JsonbContainer *container, uint32 entry, uint32 offset)
{
	JEntry		described = container->children[entry];
	char	   *data = container_data(container);

	if (JBE_ISNULL(described))
		value->type = jbvNull;
	else if (JBE_ISBOOL(described))
	{
		value->type = jbvBool;
		value->val.boolean = JBE_ISBOOL_TRUE(described);
	}
	else if (JBE_ISSTRING(described))
	{
		value->type = jbvString;
		value->val.string.val = data + offset;
		value->val.string.len = getJsonbLength(container, entry);
	}
	else if (JBE_ISNUMERIC(described))
	{
		value->type = jbvNumeric;
		value->val.numeric = (Numeric) (data + INTALIGN(offset));
	}
	else
	{
		value->type = jbvBinary;
		value->val.binary.data = (JsonbContainer *) (data + INTALIGN(offset));
		value->val.binary.len = getJsonbLength(container, entry) - (INTALIGN(offset) - offset);
	}
}

static char *
container_data(JsonbContainer *container)
{
	uint32		entries = JsonContainerSize(container);

	if (JsonContainerIsObject(container))
		entries *= 2;
	return (char *) &container->children[entries];
}
