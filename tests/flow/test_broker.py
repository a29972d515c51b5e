"""config/mosquitto/needle.conf and the generated access list do what their comments say."""
import json

CARDS = 3000    # Mosquitto's own default stops at about 1000


def test_a_late_subscriber_gets_every_retained_card(stack, admin):
	root = f"needle/{stack.tenant}/dept/wuye/queue"
	for i in range(CARDS):
		admin.publish(f"{root}/TRY{i:012d}", json.dumps({"n": i, "title": "一" * 100}), retain=True, wait=i % 100 == 99)
	try:
		late = stack.client("dept-wuye")
		assert len(late.retained(f"{root}/+", admin)) == CARDS
		old = stack.client("dept-wuye", version=4)
		assert len(old.retained(f"{root}/+", admin)) == CARDS
	finally:
		for i in range(CARDS):
			admin.publish(f"{root}/TRY{i:012d}", b"", retain=True, wait=i % 100 == 99)


def test_a_department_hears_only_itself(stack, admin):
	root = f"needle/{stack.tenant}"
	nosy = stack.client("dept-wuye")
	heard = nosy.collect(f"{root}/#", "$SYS/#", "#")
	for topic in (f"{root}/dept/chengguan/event/x", f"{root}/in/hotline/x", f"{root}/out/hotline/x",
		      f"{root}/receipt/hotline/x", "needle/other/dept/wuye/event/x"):
		admin.publish(topic, b"not for wuye")
	admin.publish(f"{root}/dept/wuye/event/mark", b"mark")
	heard.wait(lambda m: m.payload == b"mark")
	assert not heard.find(lambda m: not m.topic.startswith(f"{root}/dept/wuye/"))


def test_nobody_speaks_as_another(stack, admin):
	root = f"needle/{stack.tenant}"
	heard = admin.collect(f"{root}/dept/chengguan/#", f"{root}/in/letter/#", "needle/other/#")
	wuye, hotline = stack.client("dept-wuye"), stack.client("in-hotline")
	for client, topic in ((wuye, f"{root}/dept/chengguan/cmd"), (wuye, f"{root}/dept/chengguan/queue/X"),
			      (wuye, f"{root}/in/letter/x"), (hotline, f"{root}/in/letter/x"),
			      (hotline, f"{root}/dept/chengguan/event/x"), (hotline, "needle/other/in/hotline/x")):
		client.publish(topic, b"forged")
	admin.publish(f"{root}/dept/chengguan/mark", b"mark")
	heard.wait(lambda m: m.payload == b"mark")
	assert not heard.find(lambda m: m.payload == b"forged")


def test_a_wrong_password_is_refused(stack):
	from lib.mqtt import Client
	env = stack.env
	for version in (4, 5):
		try:
			Client(env["NEEDLE_MQTT_HOST"], int(env["NEEDLE_MQTT_PORT"]), "dept-wuye", "wrong", stack.tenant, version)
		except ConnectionRefusedError:
			continue
		raise AssertionError(f"MQTT {version}: a wrong password was taken")


def test_two_clients_of_one_user_live_side_by_side(stack, admin):
	"""No use_username_as_clientid: a department's screen and its phone are both there."""
	topic = f"needle/{stack.tenant}/dept/wuye/event/side"
	both = [stack.client("dept-wuye").collect(topic) for _ in range(2)]
	admin.publish(topic, b"hello")
	assert [c.wait().payload for c in both] == [b"hello", b"hello"]
