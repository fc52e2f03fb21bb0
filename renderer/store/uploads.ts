import { UPLOAD_PIECE } from "../../contract/files.ts"
import type { Host } from "./host.ts"

/** Hands a file to the host as `name`, piece by piece, each when the one before is kept. @throws CodedError */
export async function upload(host: Host, file: File, name: string): Promise<void> {
  for (let offset = 0; offset === 0 || offset < file.size; offset += UPLOAD_PIECE) {
    const bytes = new Uint8Array(await file.slice(offset, offset + UPLOAD_PIECE).arrayBuffer())
    await host.call("upload", { file: name, offset, bytes })
  }
}
