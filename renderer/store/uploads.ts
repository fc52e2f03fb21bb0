import { UPLOAD_PIECE } from "../../contract/files.ts"
import type { Core } from "./core.ts"

/** Hands files to the host piece by piece, each when the one before has been taken. */
export function createUploads({ send }: Core) {
  /** What waits for the host's answer to its last piece: whether it is kept. */
  const waiting = new Map<string, (kept: boolean) => void>()
  return {
    /** Sends a file as `name`; false where a piece could not be kept or the connection was lost, which has been told. */
    async upload(file: File, name: string): Promise<boolean> {
      for (let offset = 0; offset === 0 || offset < file.size; offset += UPLOAD_PIECE) {
        const bytes = new Uint8Array(await file.slice(offset, offset + UPLOAD_PIECE).arrayBuffer())
        const answer = new Promise<boolean>((resolve) => waiting.set(name, resolve))
        send({ type: "upload", file: name, offset, bytes })
        const kept = await answer
        waiting.delete(name)
        if (!kept) return false
      }
      return true
    },
    taken: (name: string, kept: boolean) => waiting.get(name)?.(kept),
    /** Ends all that waits; returns whether there was anything. */
    cutOff(): boolean {
      for (const answer of waiting.values()) answer(false)
      return waiting.size > 0
    },
  }
}
export type Uploads = ReturnType<typeof createUploads>
