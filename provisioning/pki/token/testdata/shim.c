/* A PKCS #11 module that is SoftHSM but for one fault, which FAULT names at
   compile time: 1 crashes in C_Sign, 2 never returns from it, 3 gives a wrong
   signature, 4 prints without end, 5 prints lines like answers and leaves one
   open, 6 says in C_Login that the token is locked, 7 crashes while it loads,
   8 shows the public key of nobody, 9 counts logins in the file LOGINS, 10 says
   that the token was pulled out, 11 forks a child that keeps the output open
   and then crashes. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pkcs11go.h"

static CK_FUNCTION_LIST list;
static CK_FUNCTION_LIST_PTR real;

static CK_RV sign(CK_SESSION_HANDLE s, CK_BYTE_PTR in, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR size)
{
	CK_RV rv;
	switch (FAULT) {
	case 1: raise(SIGSEGV); break;
	case 2: for (;;) pause();
	case 4: for (;;) puts("noise");
	case 5: printf("EW-TOKEN-guess {\"Number\":4}\nand no end of line"); fflush(stdout); break;
	case 10: return CKR_DEVICE_REMOVED;
	case 11: if (fork() == 0) { sleep(20); _exit(0); } raise(SIGKILL); break;
	}
	rv = real->C_Sign(s, in, n, out, size);
	if (FAULT == 3 && rv == CKR_OK && out && *size > 8) out[*size - 4] ^= 1;
	return rv;
}

static CK_RV login(CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG n)
{
#ifdef LOGINS
	FILE *f = fopen(LOGINS, "a");
	if (f) { fputs("login\n", f); fclose(f); }
#endif
	if (FAULT == 6) return CKR_PIN_LOCKED;
	return real->C_Login(s, user, pin, n);
}

static CK_RV value(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_PTR a, CK_ULONG n)
{
	CK_RV rv = real->C_GetAttributeValue(s, o, a, n);
	if (FAULT == 8 && rv == CKR_OK && n == 1 && a->type == CKA_EC_POINT && a->pValue && a->ulValueLen > 8) ((CK_BYTE_PTR)a->pValue)[7] ^= 1;
	return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out)
{
	void *module;
	CK_C_GetFunctionList get;
	if (FAULT == 7) raise(SIGSEGV);
	module = dlopen(SOFTHSM, RTLD_NOW);
	if (!module) return CKR_GENERAL_ERROR;
	get = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
	if (get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
	memcpy(&list, real, sizeof list);
	list.C_Sign = sign;
	list.C_Login = login;
	list.C_GetAttributeValue = value;
	*out = &list;
	return CKR_OK;
}
