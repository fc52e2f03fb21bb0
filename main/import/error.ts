/** A file that is not imported. The message is one line for a person; the caller puts the file's name before it. */
export class ImportError extends Error {
  override name = "ImportError"
}
