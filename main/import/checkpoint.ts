import { fromArchive, fromPickles } from "./pytorch.ts"
import { fromSafetensors, isSafetensors } from "./safetensors.ts"
import { FileSource } from "./source.ts"

/** What a file held: values with tensors in them. `close` it when they are read. */
export type Checkpoint = { value: unknown; close(): void }

/**
 * Reads safetensors, or what torch.save wrote: an archive or, before PyTorch 1.6, pickles one after the other. Nothing in it is
 * run.
 * @throws ImportError with a line for a person
 */
export function openCheckpoint(path: string): Checkpoint {
  const source = FileSource.open(path)
  try {
    const isZip = source.size > 3 && Buffer.from(source.read(0, 4)).equals(Buffer.from("PK\x03\x04", "latin1"))
    const value = isZip ? fromArchive(source) : isSafetensors(source) ? fromSafetensors(source) : fromPickles(source)
    return { value, close: () => source.close() }
  } catch (error) {
    source.close()
    throw error
  }
}
