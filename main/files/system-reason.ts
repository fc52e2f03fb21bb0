/** What the codes of the system mean to a person. */
const SYSTEM: Record<string, string> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read-only",
  EACCES: "access is denied",
  EPERM: "access is denied",
  ENOENT: "the folder or file is gone",
  ENOTDIR: "a file stands where a folder should be",
  EISDIR: "a folder stands where a file should be",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  EIO: "the disk does not answer",
  ENODEV: "the disk is away",
  ENXIO: "the disk is away",
  EEXIST: "it exists already",
  ENAMETOOLONG: "the name is too long",
  EADDRINUSE: "the port is in use",
}

/** Why a call to the system failed, as a clause without a period; undefined where it was something else. */
export function systemReason(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === "string" ? SYSTEM[code] : undefined
}
