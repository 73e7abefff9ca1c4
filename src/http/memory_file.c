/*-------------------------------------------------------------------------
 *
 * memory_file.c
 *	  Files that are in memory alone, for libraries that take nothing else.
 *
 * For secrets, which must not lie in a file of the data directory, not even
 * for a moment.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"

#include "http/memory_file.h"

static int	make_descriptor(void);
static bool write_all(int descriptor, const char *text);

bool
arazzo_memory_file_make(MemoryFile *file, const char *text)
{
	int			error;

	file->descriptor = -1;
	if (!AcquireExternalFD())
		return false;
	file->descriptor = make_descriptor();
	if (file->descriptor < 0)
	{
		ReleaseExternalFD();
		return false;
	}
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->descriptor);
	if (fchmod(file->descriptor, S_IRUSR) == 0 && write_all(file->descriptor, text))
		return true;
	error = errno;
	arazzo_memory_file_end(file);
	errno = error;
	return false;
}

static int
make_descriptor(void)
{
#ifdef MFD_CLOEXEC
	return memfd_create("arazzo", MFD_CLOEXEC);
#else
	errno = ENOSYS;
	return -1;
#endif
}

static bool
write_all(int descriptor, const char *text)
{
	size_t		left = strlen(text);

	while (left > 0)
	{
		ssize_t		written = write(descriptor, text, left);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0)
		{
			text += written;
			left -= written;
		}
	}
	return true;
}

void
arazzo_memory_file_end(MemoryFile *file)
{
	if (file->descriptor < 0)
		return;
	close(file->descriptor);
	ReleaseExternalFD();
	file->descriptor = -1;
}
