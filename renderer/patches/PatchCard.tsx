import { useEffect } from "react"
import type { Alternative, PackSummary } from "../../contract/app.ts"
import { surpriseColor } from "../lib/color.ts"
import type { Content } from "../lib/content.ts"
import { bits, percent } from "../lib/words.ts"
import { views } from "../modality/index.ts"
import type { Look } from "../modality/view.ts"
import { useActions, useSlice } from "../store/context.ts"
import { IconButton } from "../ui/Button.tsx"
import { Icon } from "../ui/Icon.tsx"

/**
 * The chosen patch: each byte with the share the model gave it, and the five likeliest that could have stood there. A
 * click on one takes it and goes on from there in a branch.
 */
export function PatchCard({
  id,
  index,
  content,
  pack,
}: {
  id: string
  index: number
  content: Content
  pack: PackSummary
}) {
  const actions = useActions()
  const alternatives = useSlice((s) => s.alternatives)
  const busy = useSlice((s) => s.run !== undefined)
  const { patch } = pack
  const from = index * patch
  useEffect(() => {
    if (!busy) actions.askAlternatives(id, index)
  }, [actions, id, index, busy])
  const bytes = content.bytes.subarray(from, from + patch)
  const mean = content.meanBits(from, from + patch)
  const known = alternatives?.id === id && alternatives.at === from ? alternatives.bytes : undefined
  const look = views[pack.modality].look(pack, content.bytes)
  return (
    <section className="patch-card" aria-label={`Patch ${index + 1}`}>
      <header>
        <h2>Patch {index + 1}</h2>
        <span className="note">
          {mean === undefined ? "given by you" : `${bits(mean)} bits/byte`}
          {busy ? " · alternatives when the run is over" : known ? "" : " · asking the model…"}
        </span>
        <button type="button" disabled={busy} onClick={() => actions.branch(id, from)}>
          <Icon name="branch" /> Branch here <kbd>B</kbd>
        </button>
        <IconButton icon="close" label="Close the patch" onClick={() => actions.pickPatch(undefined)} />
      </header>
      <div className="patch-bytes">
        {[...bytes].map((byte, i) => {
          const cost = content.bits[from + i] as number
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a byte has no identity but its place
            <div key={i} className="patch-byte">
              <div
                className="patch-own"
                style={cost >= 0 ? { background: surpriseColor(cost, pack.bitsPerByte) } : undefined}
              >
                <Face look={look} byte={byte} at={from + i} />
                <small>{cost >= 0 ? percent(2 ** -cost) : "given"}</small>
              </div>
              <ol>
                {(known?.[i] ?? []).map((other) => (
                  <li key={other.byte}>
                    <Other
                      {...{ look, busy, id }}
                      // Of the taken one the share that it was drawn with is known.
                      other={other.byte === byte && cost >= 0 ? { byte, share: 2 ** -cost } : other}
                      at={from + i}
                      same={other.byte === byte}
                    />
                  </li>
                ))}
              </ol>
            </div>
          )
        })}
      </div>
    </section>
  )
}

/** One byte that could have stood at a place. */
function Other(props: { other: Alternative; look: Look; busy: boolean; at: number; same: boolean; id: string }) {
  const { other, look, busy, at, same, id } = props
  const actions = useActions()
  const name = `${look.name(other.byte)}, ${percent(other.share)}`
  return (
    <button
      type="button"
      disabled={busy || same}
      aria-label={same ? `${name}, taken` : `Take ${name} and branch`}
      title={same ? "This one was taken" : `Take it and go on from there: ${name}`}
      style={{ "--share": other.share } as React.CSSProperties}
      onClick={() => actions.branch(id, at, other.byte)}
    >
      <Face look={look} byte={other.byte} at={at} />
      <small>{percent(other.share)}</small>
    </button>
  )
}

function Face({ look, byte, at }: { look: Look; byte: number; at: number }) {
  if (look.color) return <i className="swatch" style={{ background: look.color(byte, at) }} />
  return <b>{look.name(byte)}</b>
}
