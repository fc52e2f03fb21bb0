import { randomBytes } from "node:crypto"
import {
  appendFileSync,
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { Item } from "../../contract/app.ts"
import { titleFrom } from "../../contract/title.ts"
import { makeFolder } from "../files/make-folder.ts"
import { replaceFile } from "../files/replace-file.ts"

const DELETED = ".deleted"
/** Bits per byte of the whole file, fp32, one number a byte; NaN where it was given or is not known. */
const BITS = "bits.f32"
/** The library is a person's own. */
const FOLDER_MODE = 0o700
const FILE_MODE = 0o600

/**
 * What was generated: a folder an item, in it an ordinary file that any program opens, item.json with how it was made,
 * and the bits of its bytes. Bytes are appended as they come, so that a crash costs what was not yet flushed; what an
 * interruption left uneven is made even when the library is opened.
 */
export class Library {
  private readonly items = new Map<string, Item>()
  /** Items that were being written when the app ended: they lack the ordinary file of what is there. */
  readonly interrupted: string[] = []
  /** Folders that look like items and cannot be read; they are left as they are. */
  readonly unreadable: string[] = []
  /** Items whose last state could not be written yet. */
  private readonly unwritten = new Set<string>()

  constructor(readonly folder: string) {
    makeFolder(folder, FOLDER_MODE)
    for (const name of readdirSync(folder)) {
      if (name.startsWith(".") || !existsSync(join(folder, name, "item.json"))) continue
      try {
        this.open(name)
      } catch {
        this.unreadable.push(name) // a foreign or damaged folder is the person's; the others are shown all the same
      }
    }
  }

  /** Takes one item's folder in, and makes it whole. @throws what is wrong with it */
  private open(name: string): Item {
    const json: unknown = JSON.parse(readFileSync(join(this.folder, name, "item.json"), "utf8"))
    const title = (json as { title?: unknown } | null)?.title
    const item = Item.parse({ ...(json as object), ...(typeof title === "string" ? { title: titleFrom(title) } : {}) })
    if (item.id !== name) throw new Error("It is not in its own folder.")
    const bytes = statSync(join(this.folder, name, item.raw ?? item.file)).size
    if (item.status === "running" || item.bytes !== bytes) {
      // What is in the file is all there is.
      if (item.status === "running") {
        item.status = "interrupted"
        this.interrupted.push(item.id)
      }
      item.bytes = bytes
      item.given = Math.min(item.given, bytes)
      this.items.set(item.id, item)
      item.bitsPerByte = meanOf(this.evenBits(item, bytes), item.given)
      this.unwritten.add(item.id)
      this.flush()
    } else this.items.set(item.id, item)
    return item
  }

  /** Cuts or pads the bits to the bytes, as an end between two appends leaves them. On a read-only disk in memory alone. */
  private evenBits(item: Item, bytes: number): Float32Array {
    const path = join(this.path(item.id), BITS)
    const bits = this.read(item.id).bits
    try {
      if (statSync(path, { throwIfNoEntry: false })?.size !== 4 * bytes)
        replaceFile(path, new Uint8Array(bits.buffer, 0, 4 * bytes))
    } catch {}
    return bits
  }

  /** Newest first. */
  list(): Item[] {
    return [...this.items.values()].sort((a, b) => b.created - a.created)
  }

  get(id: string): Item {
    const item = this.items.get(id)
    if (!item) throw new Error("That item is no longer in the library.")
    return item
  }

  /**
   * Adds an item and writes its first bytes.
   * @param bits those of its bytes, where they are known
   * @throws where it cannot be written, and nothing of it is left
   */
  add(item: Omit<Item, "id" | "created">, bytes: Uint8Array, bits?: number[]): Item {
    const created = Date.now()
    const id = `${new Date(created).toISOString().slice(0, 19).replace(/[-:]/g, "").toLowerCase()}-${randomBytes(3).toString("hex")}`
    const full: Item = Item.parse({ ...item, title: titleFrom(item.title), id, created })
    this.makingRoom(() => this.addOnce(full, bytes, bits))
    return full
  }

  private addOnce(item: Item, bytes: Uint8Array, bits?: number[]): void {
    const { id } = item
    makeFolder(this.path(id), FOLDER_MODE) // the library's own may have been taken away
    try {
      writeFileSync(join(this.path(id), item.raw ?? item.file), bytes, { mode: FILE_MODE })
      const known = bits ? Float32Array.from(bits) : new Float32Array(bytes.length).fill(Number.NaN)
      writeFileSync(join(this.path(id), BITS), new Uint8Array(known.buffer), { mode: FILE_MODE })
      this.save(item)
    } catch (error) {
      rmSync(this.path(id), { recursive: true, force: true })
      throw error
    }
  }

  private path(id: string): string {
    return join(this.folder, id)
  }

  private rawPath(id: string): string {
    const item = this.get(id)
    return join(this.path(id), item.raw ?? item.file)
  }

  /** Writes the ordinary file of an item whose canonical bytes lie in another. */
  writeFile(id: string, data: Uint8Array): void {
    const path = join(this.path(id), this.get(id).file)
    replaceFile(path, data)
  }

  /** The ordinary file, where it is there already. */
  readFile(id: string): Uint8Array | undefined {
    const path = join(this.path(id), this.get(id).file)
    return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path) : undefined
  }

  private save(item: Item): void {
    const path = join(this.path(item.id), "item.json")
    replaceFile(path, `${JSON.stringify(item, null, 2)}\n`)
    this.items.set(item.id, item)
  }

  /** Appends generated bytes and their bits, both or neither. @throws where the disk does not take them */
  append(id: string, bytes: Uint8Array, bits: number[]): void {
    this.makingRoom(() => this.appendOnce(id, bytes, bits))
  }

  private appendOnce(id: string, bytes: Uint8Array, bits: number[]): void {
    const [raw, other] = [this.rawPath(id), join(this.path(id), BITS)]
    const before = statSync(raw).size
    if (statSync(other, { throwIfNoEntry: false })?.size !== 4 * before) this.evenBits(this.get(id), before)
    // Both are open before either is written: with no handles left neither has got anything.
    const files: number[] = []
    try {
      for (const path of [raw, other]) files.push(openSync(path, "a", FILE_MODE))
      const [first = 0, second = 0] = files
      try {
        appendFileSync(first, bytes)
        appendFileSync(second, new Uint8Array(Float32Array.from(bits).buffer))
      } catch (error) {
        // A full disk takes a part: it goes again, so that the next try begins where this one did.
        try {
          ftruncateSync(first, before)
          ftruncateSync(second, 4 * before)
        } catch {}
        throw error
      }
    } finally {
      for (const file of files) closeSync(file)
    }
  }

  /** Writes something; on a full disk what was deleted goes first, as room for what is made comes before an undo. */
  private makingRoom<T>(write: () => T): T {
    try {
      return write()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC" || !this.emptyDeleted()) throw error
      return write()
    }
  }

  /** Leaves only the first bytes of an item, those that were given. */
  truncate(id: string, length: number): void {
    truncateSync(this.rawPath(id), length)
    truncateSync(join(this.path(id), BITS), 4 * length)
  }

  update(id: string, change: Partial<Item>): Item {
    const title = change.title === undefined ? {} : { title: titleFrom(change.title) }
    const item = { ...this.get(id), ...change, ...title }
    this.save(item)
    return item
  }

  /** Changes an item even where it cannot be written now; `flush` does that later. */
  updateLater(id: string, change: Partial<Item>): Item {
    const item = { ...this.get(id), ...change }
    this.items.set(id, item)
    this.unwritten.add(id)
    this.flush()
    return item
  }

  /** Writes what could not be written before. Returns whether all is on the disk. */
  flush(): boolean {
    for (const id of [...this.unwritten]) {
      try {
        const item = this.items.get(id)
        if (item) this.save(item)
        this.unwritten.delete(id)
      } catch {}
    }
    return this.unwritten.size === 0
  }

  read(id: string): { bytes: Buffer; bits: Float32Array } {
    const bytes = readFileSync(this.rawPath(id))
    const bits = new Float32Array(bytes.length).fill(Number.NaN)
    const path = join(this.path(id), BITS)
    // A copy: a file's bytes need not begin at a multiple of four.
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) {
      const raw = new Uint8Array(readFileSync(path))
      bits.set(new Float32Array(raw.buffer, 0, Math.min(bytes.length, raw.length >> 2)))
    }
    return { bytes, bits }
  }

  /** Moves an item aside; `undelete` brings it back until the next `emptyDeleted`. */
  delete(id: string): void {
    makeFolder(join(this.folder, DELETED), FOLDER_MODE)
    rmSync(join(this.folder, DELETED, id), { recursive: true, force: true })
    // One whose folder has gone is gone.
    if (existsSync(this.path(id))) renameSync(this.path(id), join(this.folder, DELETED, id))
    this.items.delete(id)
    this.unwritten.delete(id)
  }

  undelete(id: string): Item {
    renameSync(join(this.folder, DELETED, id), this.path(id))
    return this.open(id)
  }

  /** Removes an item at once, such as one that was only begun. */
  discard(id: string): void {
    rmSync(this.path(id), { recursive: true, force: true })
    this.items.delete(id)
    this.unwritten.delete(id)
  }

  /**
   * Removes for good what was deleted; called at start, so that an undo lasts as long as the window. The folder itself
   * stays, as a full disk has no room for a new one. Returns whether anything was there.
   */
  emptyDeleted(): boolean {
    const folder = join(this.folder, DELETED)
    try {
      makeFolder(folder, FOLDER_MODE)
      const names = readdirSync(folder)
      for (const name of names) rmSync(join(folder, name), { recursive: true, force: true })
      return names.length > 0
    } catch {
      return false // a read-only disk: next time
    }
  }
}

/** Mean of the bits that are known of what was generated. */
function meanOf(bits: Float32Array, given: number): number {
  let [sum, count] = [0, 0]
  for (let i = given; i < bits.length; i++) {
    const b = bits[i] as number
    if (Number.isNaN(b)) continue
    sum += b
    count++
  }
  return count ? sum / count : 0
}
