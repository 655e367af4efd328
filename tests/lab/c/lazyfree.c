/* Takes 1.5 MiB a second and gives it back at once with MADV_FREE, never to use it again: RES grows, nothing is held. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	size_t size = 64 << 10;

	for (;;) {
		char *block = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memset(block, 1, size);
		madvise(block, size, MADV_FREE);
		usleep(1000000 / 24);
	}
}
