import type { ForeignOptions } from "../../../contract/app.ts"
import { CodedError } from "../../../contract/errors.ts"
import { type MediaProtocol, mediaProtocol } from "../../../contract/media.ts"
import { RpcClient } from "../../../contract/rpc.ts"
import type { ChildPort } from "../../process/child.ts"
import { forkMedia, type StartMedia } from "../media/client.ts"
import type { AppPaths } from "./find.ts"

/**
 * Checks and converts packs that were handed over, one after the other, each in a process of its own: gigabytes take
 * minutes, in which the app goes on.
 */
export class Importer {
  private running: ChildPort | undefined
  private queue: Promise<unknown> = Promise.resolve()
  private closed = false

  constructor(
    private readonly places: AppPaths,
    private readonly start: StartMedia = forkMedia,
  ) {}

  /** Checks and keeps the pack in a folder. Returns its name. @throws CodedError, and nothing is kept */
  importPack(folder: string): Promise<string> {
    return this.ask((rpc) => rpc.call("importPack", { folder, places: this.places }))
  }

  /** Makes a pack of another package's weights, which are called `file`. Returns its name. @throws CodedError */
  importWeights(path: string, file: string, options: ForeignOptions): Promise<string> {
    return this.ask((rpc) => rpc.call("importWeights", { path, file, options, places: this.places }))
  }

  private ask<T>(call: (rpc: RpcClient<MediaProtocol>) => Promise<T>): Promise<T> {
    const answer = this.queue.then(() => this.answer(call))
    this.queue = answer.catch(() => {})
    return answer
  }

  private async answer<T>(call: (rpc: RpcClient<MediaProtocol>) => Promise<T>): Promise<T> {
    if (this.closed) throw new CodedError("closed", "The pack was not imported, as the app is closing.")
    const port = this.start()
    this.running = port
    const rpc = new RpcClient(port, mediaProtocol)
    const ended = "The pack was not imported: it takes more memory than there is, or is damaged."
    port.onExit(() => rpc.close(new CodedError("refused", ended)))
    try {
      return await call(rpc)
    } finally {
      this.running = undefined
      port.kill()
    }
  }

  close(): void {
    this.closed = true
    this.running?.kill()
  }
}
