/** A pack that is damaged, hostile or not what pack.json says. The message is one line for a person. */
export class PackError extends Error {
  override name = "PackError"
}
