#include "base/clock.h"

#include <pthread.h>
#include <time.h>

#include "base/fault.h"

static struct {
	pthread_mutex_t lock;
	bool simulated;
	int64_t base_us, mono_us, speed;
} sim = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t read_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

static int64_t simulated_now(void)
{
	return sim.base_us + (clock_mono_us() - sim.mono_us) * sim.speed;
}

int64_t clock_now_us(void)
{
	int64_t now;

	if (!sim.simulated)
		return read_us(CLOCK_REALTIME) + fault_clock_us();
	pthread_mutex_lock(&sim.lock);
	now = simulated_now();
	pthread_mutex_unlock(&sim.lock);
	return now;
}

void clock_simulate(int64_t start_us, int64_t speed)
{
	sim.base_us = start_us;
	sim.mono_us = clock_mono_us();
	sim.speed = speed;
	sim.simulated = true;
}

bool clock_is_simulated(void)
{
	return sim.simulated;
}

bool clock_set_us(int64_t now_us)
{
	bool forward;

	pthread_mutex_lock(&sim.lock);
	forward = sim.simulated && now_us >= simulated_now();
	if (forward) {
		sim.base_us = now_us;
		sim.mono_us = clock_mono_us();
	}
	pthread_mutex_unlock(&sim.lock);
	return forward;
}
