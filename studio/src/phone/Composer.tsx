// Where the customer writes: text, or a picture, a file, a location.
import { MapPin, Paperclip, SendHorizontal } from "lucide-react";
import { useState } from "react";

import { Button, IconButton } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { Menu, MenuItem, MenuLine } from "../ui/Menu";
import type { Said } from "./messages";

const media = [
  { type: "image", text: "Picture" },
  { type: "video", text: "Video" },
  { type: "audio", text: "Voice message" },
  { type: "document", text: "Document" },
] as const;

export function Composer({ isBusy, onSay }: { isBusy: boolean; onSay: (said: Said) => void }) {
  const [text, setText] = useState("");
  const [isPlacing, setPlacing] = useState(false);
  const say = () => {
    const words = text.trim();
    if (!words || isBusy) return;
    setText("");
    onSay({ kind: "text", text: words });
  };
  const attach = (type: (typeof media)[number]["type"]) => {
    const caption = text.trim() || undefined;
    setText("");
    onSay({ kind: "media", type, caption });
  };
  return (
    <form
      className="flex items-center gap-1 border-t border-line p-2"
      onSubmit={(event) => {
        event.preventDefault();
        say();
      }}
    >
      <Menu
        align="start"
        side="top"
        trigger={
          <IconButton label="Send something else" size="small" disabled={isBusy}>
            <Paperclip size={15} aria-hidden />
          </IconButton>
        }
      >
        {media.map(({ type, text: name }) => (
          <MenuItem key={type} onSelect={() => attach(type)}>
            {name}
          </MenuItem>
        ))}
        <MenuLine />
        <MenuItem icon={<MapPin size={14} aria-hidden />} onSelect={() => setPlacing(true)}>
          Location…
        </MenuItem>
      </Menu>
      <Input
        aria-label="Message of the customer"
        placeholder="Write as the customer"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <IconButton type="submit" label="Send" size="small" disabled={isBusy || !text.trim()}>
        <SendHorizontal size={15} aria-hidden />
      </IconButton>
      {isPlacing && <LocationDialog onClose={() => setPlacing(false)} onSay={onSay} />}
    </form>
  );
}

function LocationDialog({ onClose, onSay }: { onClose: () => void; onSay: (said: Said) => void }) {
  const [place, setPlace] = useState({ latitude: "28.6139", longitude: "77.2090", name: "Home" });
  const [latitude, longitude] = [Number(place.latitude), Number(place.longitude)];
  const isPlace = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  const send = () => {
    onSay({ kind: "location", latitude, longitude, name: place.name || undefined });
    onClose();
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="small"
      title="Send a location"
      actions={
        <Button look="primary" disabled={!isPlace} onClick={send}>
          Send
        </Button>
      }
    >
      <div className="flex flex-col gap-3">
        {(["latitude", "longitude", "name"] as const).map((name) => (
          <Field key={name} label={name.charAt(0).toUpperCase() + name.slice(1)}>
            {(ids) => (
              <Input
                {...ids}
                value={place[name]}
                onChange={(event) => setPlace({ ...place, [name]: event.target.value })}
              />
            )}
          </Field>
        ))}
      </div>
    </Dialog>
  );
}
