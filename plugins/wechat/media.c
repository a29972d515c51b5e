#include "media.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

static const struct {
	size_t at, len;
	const char *bytes, *type, *end;
} kinds[] = {
	{0, 3, "\xff\xd8\xff", "image/jpeg", "jpg"}, {0, 8, "\x89PNG\r\n\x1a\n", "image/png", "png"},
	{0, 6, "GIF87a", "image/gif", "gif"}, {0, 6, "GIF89a", "image/gif", "gif"}, {8, 4, "WEBP", "image/webp", "webp"},
	{0, 2, "BM", "image/bmp", "bmp"}, {0, 5, "#!AMR", "audio/amr", "amr"}, {0, 9, "#!SILK_V3", "audio/silk", "silk"},
	{1, 9, "#!SILK_V3", "audio/silk", "silk"}, {0, 3, "ID3", "audio/mpeg", "mp3"}, {0, 2, "\xff\xfb", "audio/mpeg", "mp3"},
	{4, 4, "ftyp", "video/mp4", "mp4"}, {0, 5, "%PDF-", "application/pdf", "pdf"}, {0, 4, "PK\x03\x04", "application/zip", "zip"},
};

const char *media_type(const void *bytes, size_t len, const char **ret_end)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (len >= kinds[i].at + kinds[i].len &&
		    memcmp((const char *)bytes + kinds[i].at, kinds[i].bytes, kinds[i].len) == 0) {
			*ret_end = kinds[i].end;
			return kinds[i].type;
		}
	return NULL;
}

static int write_file(const char *path, const void *bytes, size_t len, struct err *e)
{
	char part[700];
	int fd;

	snprintf(part, sizeof(part), "%s.part", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fdatasync(fd) < 0 || rename(part, path) < 0) {
		err_set(e, ERR_SYS, "a file cannot be kept: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		unlink(part);
		return ERR_SYS;
	}
	close(fd);
	return 0;
}

int media_store(const char *folder, const void *bytes, size_t len, struct media_file *ret, struct err *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	const char *end = "";
	char path[640];

	ret->type = media_type(bytes, len, &end);
	if (!len)
		return err_code(e, ERR_BAD, "empty", "the file is empty");
	if (!ret->type)
		return err_code(e, ERR_BAD, "type", "the file is of no kind that is kept");
	if (!EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL))
		mem_die("sha256");
	str_hex(digest, 32, ret->sha256);
	snprintf(ret->name, sizeof(ret->name), "%.2s/%s.%s", ret->sha256, ret->sha256, end);
	snprintf(path, sizeof(path), "%.500s/%.2s", folder, ret->sha256);
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return err_set(e, ERR_SYS, "a file cannot be kept: %s", strerror(errno));
	snprintf(path, sizeof(path), "%.500s/%s", folder, ret->name);
	return access(path, F_OK) == 0 ? 0 : write_file(path, bytes, len, e);
}
