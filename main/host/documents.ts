import { randomUUID } from "node:crypto"
import { CodedError } from "../../contract/errors.ts"

/** Bytes of all documents together; the newest one is kept whatever its size. */
const MOST = 2 ** 27

/** The canonical bytes of files that were opened, in memory: windows name them, and do not send them back. */
export class Documents {
  private readonly kept = new Map<string, Uint8Array>()
  private held = 0

  /** @param most bytes of all together, beyond which the oldest go */
  constructor(private readonly most = MOST) {}

  /** Keeps a document; returns what it is called. */
  keep(bytes: Uint8Array): string {
    const id = randomUUID()
    this.kept.set(id, bytes)
    this.held += bytes.length
    for (const [oldest, { length }] of this.kept) {
      if (this.held <= this.most || oldest === id) break
      this.kept.delete(oldest)
      this.held -= length
    }
    return id
  }

  /** @throws CodedError `gone` where it is no longer kept */
  get(id: string): Uint8Array {
    const bytes = this.kept.get(id)
    if (!bytes) throw new CodedError("gone", "The file that was opened is no longer at hand; drop it again.")
    return bytes
  }
}
