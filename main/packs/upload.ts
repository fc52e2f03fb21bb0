import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { importPack, type Places } from "./find.ts"

/** A pack that arrives from a window piece by piece: pack.json and weights.safetensors. */
export class Upload {
  private readonly folder: string

  constructor(private readonly places: Places) {
    this.folder = join(places.home, "packs", ".incoming")
  }

  /** Takes the next bytes of a file; those at offset 0 begin it anew. */
  take(file: "pack.json" | "weights.safetensors", offset: number, bytes: Uint8Array): void {
    const path = join(this.folder, file)
    if (offset === 0) {
      mkdirSync(this.folder, { recursive: true })
      writeFileSync(path, bytes)
    } else appendFileSync(path, bytes)
  }

  /** Checks and keeps what has arrived; returns the pack's name. @throws PackError, and nothing is kept */
  finish(): string {
    try {
      return importPack(this.folder, this.places)
    } finally {
      rmSync(this.folder, { recursive: true, force: true })
    }
  }
}
