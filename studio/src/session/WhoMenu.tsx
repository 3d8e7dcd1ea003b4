// Who is signed in, and the way out.
import { KeyRound, LogOut, User } from "lucide-react";
import { useNavigate } from "react-router";

import { Button } from "../ui/Button";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../ui/Menu";
import { toast } from "../ui/Toast";
import { useSession, useSignOut } from "./session";

export function WhoMenu() {
  const { person, platformRole, impersonator, name: known } = useSession();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const name = person?.name || known;
  const leave = async () => {
    await signOut();
    await navigate("/sign-in");
  };
  return (
    <Menu
      align="start"
      trigger={
        <Button look="quiet" className="min-w-0 justify-start px-2 sm:flex-1">
          {person ? (
            <User size={16} aria-hidden className="shrink-0" />
          ) : (
            <KeyRound size={16} aria-hidden className="shrink-0" />
          )}
          <span className="sr-only">Signed in: </span>
          <span className="truncate font-normal max-sm:sr-only">{name}</span>
        </Button>
      }
    >
      <MenuLabel>
        {person ? person.email : `Signed in with the API key “${known}”`}
        {platformRole && <span className="block">{platformRole.replaceAll("_", " ")}</span>}
      </MenuLabel>
      <MenuLine />
      {person && !impersonator && (
        <MenuItem icon={<User size={14} aria-hidden />} onSelect={() => void navigate("/settings/profile")}>
          Profile
        </MenuItem>
      )}
      <MenuItem icon={<LogOut size={14} aria-hidden />} onSelect={() => void leave().catch(toast.error)}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
