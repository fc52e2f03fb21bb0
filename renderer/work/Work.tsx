import { useState } from "react"
import { views } from "../modality/index.ts"
import { PatchCard } from "../patches/PatchCard.tsx"
import { PatchStrip } from "../patches/PatchStrip.tsx"
import { useActions, useSlice } from "../store/context.ts"
import { packOf, packOfItem } from "../store/packs.ts"
import { ActionBar } from "./ActionBar.tsx"
import { DraftDocument, ItemDocument } from "./Document.tsx"
import { Futures } from "./Futures.tsx"
import { Rail } from "./Rail.tsx"
import { TopBar } from "./TopBar.tsx"

/** One document, its strip, and its futures. */
export function Work({ renaming, onRename }: { renaming: boolean; onRename: (on: boolean) => void }) {
  const actions = useActions()
  const chosen = useSlice((s) => s.chosen)
  const item = useSlice((s) => (s.chosen === undefined ? undefined : s.items.get(s.chosen)))
  const content = useSlice((s) => (s.chosen === undefined ? undefined : s.contents.get(s.chosen)))
  const version = useSlice((s) => s.version)
  const editing = useSlice((s) => s.editing)
  const selected = useSlice((s) => s.patch)
  const settingsPack = useSlice(packOf)
  const itemPack = useSlice((s) => packOfItem(s, s.chosen))
  const pack = item ? itemPack : settingsPack
  const [hovered, setHovered] = useState<number>()
  const reading = item !== undefined && !editing
  return (
    <section className="work" id="work" aria-label="Work" tabIndex={-1}>
      <TopBar {...{ item, content, pack, renaming, onRename }} />
      {chosen && <Rail id={chosen} />}
      <div className="document">
        {reading ? (
          content && <ItemDocument {...{ item, content, pack, hovered, selected }} onHover={setHovered} key={item.id} />
        ) : (
          <DraftDocument pack={pack} />
        )}
        {reading && content && pack && selected !== undefined && selected * pack.patch < content.length && (
          <PatchCard id={item.id} index={selected} content={content} pack={pack} />
        )}
      </div>
      {reading && content && pack && content.length > 0 && (
        <PatchStrip
          content={content}
          version={version}
          patch={pack.patch}
          usual={pack.bitsPerByte}
          letters={views[pack.modality].letters}
          selected={selected}
          hovered={hovered}
          onSelect={actions.pickPatch}
          onHover={setHovered}
          onBranch={(patch) => actions.branch(item.id, patch * pack.patch)}
          key={item.id}
        />
      )}
      {item && !item.scored && !editing && <Futures pack={pack} />}
      <ActionBar {...{ item, content, pack }} />
    </section>
  )
}
