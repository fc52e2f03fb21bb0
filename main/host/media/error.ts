/** A file that cannot be taken as a prompt. The message is one line for a person. */
export class MediaError extends Error {
  override name = "MediaError"
}
