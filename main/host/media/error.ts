import { CodedError } from "../../../contract/errors.ts"

/** A file that cannot be taken as a prompt. The message is one line for a person. */
export class MediaError extends CodedError {
  override name = "MediaError"

  constructor(message: string, options?: ErrorOptions & { details?: string | undefined }) {
    super("refused", message, options)
  }
}
