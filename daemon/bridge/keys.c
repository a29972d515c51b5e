#include "bridge/keys.h"

#include "settings/types.h"

const char *const bridge_durabilities[2] = {"process", "power"};

enum { SECOND_US = 1000000, DAY_S = 86400 };

static const char *state_folder(struct scope root)
{
	const char *written = scope_text(root, "state"), *given = getenv("STATE_DIRECTORY");

	if (written)
		return written;
	return given ? arena_strdup(root.l->arena, given)
		     : arena_printf(root.l->arena, "/var/lib/needle-%s", scope_text(root, "channel"));
}

void bridge_settings_read(struct scope root, struct bridge_settings *ret)
{
	struct scope outbox = scope_in(root, "outbox"), replies = scope_in(root, "replies");

	*ret = (struct bridge_settings){.tenant = scope_text(root, "tenant"), .channel = scope_text(root, "channel"),
					.source = scope_text(root, "source"), .state = state_folder(root)};
	load_broker(scope_in(root, "broker"), &ret->broker);
	if (!ret->broker.user)
		ret->broker.user = arena_printf(root.l->arena, "in-%s", ret->channel ? ret->channel : "");
	if (!type_listen(scope_text(scope_in(root, "http"), "listen"), root.l->arena, &ret->http.address,
			 &ret->http.port))
		ret->http.address = NULL;
	ret->power = scope_enum(outbox, "durability") == 1;
	ret->max_entries = (size_t)scope_int(outbox, "entries");
	ret->max_bytes = scope_int(outbox, "size");
	ret->outstanding = (size_t)scope_int(outbox, "outstanding");
	ret->resend_us = scope_int(outbox, "resend") * SECOND_US;
	ret->give_up_us = scope_int(replies, "retry") * DAY_S * SECOND_US;
	ret->first_retry_us = scope_int(replies, "first_retry") * SECOND_US;
}
