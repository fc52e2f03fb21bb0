import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { ImportError } from "./error.ts"

/** An ordinary file that is read in pieces: checkpoints hold an optimizer's state too, which nobody needs in memory. */
export class FileSource {
  private constructor(
    private readonly opened: number,
    readonly size: number,
  ) {}

  /** @throws ImportError where there is no such file */
  static open(path: string): FileSource {
    let opened: number
    try {
      opened = openSync(path, "r")
    } catch (error) {
      throw new ImportError(`It cannot be read (${(error as NodeJS.ErrnoException).code}).`)
    }
    const found = fstatSync(opened)
    if (found.isFile()) return new FileSource(opened, found.size)
    closeSync(opened)
    throw new ImportError("It is not an ordinary file.")
  }

  /** Bytes at..at+length-1. @throws ImportError where they are not all there */
  read(at: number, length: number): Uint8Array<ArrayBuffer> {
    if (at < 0 || length < 0 || at + length > this.size) throw new ImportError("It ends too early.")
    const bytes = new Uint8Array(length)
    for (let read = 0; read < length; ) {
      const got = readSync(this.opened, bytes, read, Math.min(2 ** 30, length - read), at + read)
      if (!got) throw new ImportError("It ends too early.")
      read += got
    }
    return bytes
  }

  close(): void {
    closeSync(this.opened)
  }
}
