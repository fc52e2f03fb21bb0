/** The person ended the work before it made anything. Exit code 130, as of a program that a Ctrl+C ends. */
export class Interrupted extends Error {
  override name = "Interrupted"
}
