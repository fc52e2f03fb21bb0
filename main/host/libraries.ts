import { existsSync } from "node:fs"
import { join } from "node:path"
import { readPack } from "../packs/read.ts"
import { detailsOf } from "./errors.ts"
import { saveFile } from "./exports.ts"
import { Library } from "./library.ts"
import { LibraryInUse, lockLibrary } from "./lock.ts"
import type { Log } from "./log.ts"
import { type AppPaths, findPack } from "./packs/find.ts"

/** The library that is open, locked for this program, and what there is to say of how it was found. */
export class Libraries {
  current: Library
  /** What a person is to know, said to the first window that comes. */
  readonly greetings: string[] = []
  private unlock = () => {}

  /**
   * Opens the library in the folder that was chosen, in the usual one where that cannot be used (a disk that is away), or
   * beside that where a file stands in its place.
   * @throws LibraryInUse where another program has it open
   */
  constructor(
    chosen: string,
    private readonly places: AppPaths,
    private readonly log: Log,
  ) {
    this.current = this.firstUsable(chosen)
    this.current.emptyDeleted()
  }

  /** The usual folder. */
  get usual(): string {
    return join(this.places.home, "library")
  }

  private firstUsable(chosen: string): Library {
    const wanted = chosen || this.usual
    for (const folder of [...(chosen && existsSync(chosen) ? [chosen] : []), this.usual, `${this.usual}-2`]) {
      try {
        const library = this.open(folder)
        if (folder !== wanted) this.greetings.push(`${wanted} cannot be used as the library; ${folder} is used.`)
        return library
      } catch (error) {
        if (error instanceof LibraryInUse) throw error
        this.log.write(`the library ${folder}`, detailsOf(error))
      }
    }
    throw new Error(`There is no place for the library in ${this.places.home}. Set MEGABYTE_HOME to another folder.`)
  }

  /** Opens a library in place of the one before. @throws LibraryInUse, or what the system says of the folder */
  open(folder: string): Library {
    const library = new Library(folder)
    const unlock = lockLibrary(folder)
    this.unlock()
    this.unlock = unlock
    this.current = library
    const { unreadable } = library
    const one = unreadable.length === 1
    if (unreadable.length)
      this.greetings.push(
        `${one ? "One folder" : `${unreadable.length} folders`} in the library cannot be read, and ${one ? "is left as it is" : "are left as they are"}: ${unreadable.slice(0, 3).join(", ")}.`,
      )
    return library
  }

  /** Gives the items that an end of the app interrupted their ordinary files. */
  async repair(): Promise<void> {
    const { interrupted } = this.current
    const what = interrupted.length === 1 ? "something was" : `${interrupted.length} items were`
    if (interrupted.length)
      this.greetings.push(
        `The app ended while ${what} being written; what was there is kept, and Continue picks up from it.`,
      )
    for (const id of interrupted) {
      try {
        const { settings, scored } = this.current.get(id)
        await saveFile(this.current, id, readPack(findPack(settings.pack, this.places)), scored ? undefined : settings)
      } catch (error) {
        this.log.write(`the interrupted item ${id}`, detailsOf(error))
      }
    }
  }

  close(): void {
    this.current.flush()
    this.unlock()
  }
}
