/* JSON text into a growing buffer that is written in one call: what several processes print does not mix. */
#ifndef JSON_H
#define JSON_H
void json_raw(const char *format, ...) __attribute__((format(printf, 1, 2)));
void json_string(const char *bytes, long length); /* length < 0: up to the NUL */
void json_key(const char *name);                  /* writes a comma where one is due */
void json_number(const char *name, long long value);
void json_text(const char *name, const char *value);
void json_errno(const char *name, long result);   /* 0, or the name of errno when result < 0 */
void json_file(const char *name, const char *path); /* the file's content, or null */
void json_begin(const char *name);
void json_end(void);
void json_flush(void);
const char *errno_name(int number);
#endif
