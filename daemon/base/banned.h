#pragma once
/* Functions that have a safer way in base/. Included by every file through the compiler's -include. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Under clang glibc's checked versions of these are macros. */
#undef sprintf
#undef vsprintf

/* Fortified headers make macros of some; a macro cannot be poisoned. */
#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strncpy
#undef strncat
#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat gets atoi atol atof strtok
#pragma GCC poison localtime gmtime ctime asctime mktime tmpnam mktemp
