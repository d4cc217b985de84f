// Who may come in: for those who run the house. Invites, changes roles, removes.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Answer } from "../server/api";
import { whenText } from "../words/times";
import { type PlainKey, t } from "../words/words";
import { AccountDialog } from "./account-dialog";
import type { AccountScreenProps } from "./account-menu";
import type { NewInvitation, PersonInfo, Role } from "./answers";

/** Nobody far away may speak for the room, so only a resident can let another one in. */
const ROLES: readonly Role[] = ["visitor", "guest", "owner"];
const RESIDENT: Role = "resident";

export function PeopleScreen({ api, session, nowMs, close }: AccountScreenProps) {
  const [people, setPeople] = useState<readonly PersonInfo[]>([]);
  const [invitation, setInvitation] = useState<NewInvitation | null>(null);
  const [failure, setFailure] = useState<PlainKey | null>(null);
  const roles = session.rights.includes("room") ? [...ROLES, RESIDENT] : ROLES;

  const receive = <T,>(answer: Answer<T>): T | null => {
    setFailure(failureOf(answer));
    return answer.kind === "ok" ? answer.value : null;
  };
  const load = async () => {
    const listed = receive(await api.get<readonly PersonInfo[]>("/people"));
    if (listed !== null) {
      setPeople(listed);
    }
  };
  const change = async (doing: Promise<Answer<unknown>>) => {
    const answer = await doing;
    await load();
    receive(answer);
  };
  const invite = async (person: PersonInfo) => {
    const made = receive(await api.post<NewInvitation>(`/people/${person.id}/invitations`));
    if (made !== null) {
      await load();
      setInvitation(made);
    }
  };
  const add = async (name: string, role: Role) => {
    const person = receive(await api.post<PersonInfo>("/people", { name, role }));
    if (person !== null) {
      await invite(person);
    }
  };
  useEffect(() => void load(), []);
  return (
    <AccountDialog title={t("people.title")} close={close}>
      {failure !== null && (
        <p class="problem" role="alert">
          {t(failure)}
        </p>
      )}
      {invitation !== null && (
        <Invitation invitation={invitation} nowMs={nowMs()} close={() => setInvitation(null)} />
      )}
      <ul>
        {people.map((person) => (
          <Person
            key={person.id}
            person={person}
            roles={roles}
            isSelf={person.id === session.person}
            isManaged={person.role !== RESIDENT || roles.includes(RESIDENT)}
            invite={() => void invite(person)}
            changeRole={(role) => void change(api.patch(`/people/${person.id}`, { role }))}
            remove={() => void change(api.delete(`/people/${person.id}`))}
          />
        ))}
      </ul>
      <h3>{t("people.add")}</h3>
      <NewPerson roles={roles} add={(name, role) => void add(name, role)} />
    </AccountDialog>
  );
}

function failureOf(answer: Answer<unknown>): PlainKey | null {
  switch (answer.kind) {
    case "ok":
      return null;
    case "offline":
      return "status.stop_lost";
    case "refused":
      return answer.code === "store_failed" ? "problem.store_failed" : "problem.not_permitted";
  }
}

interface PersonProps {
  readonly person: PersonInfo;
  readonly roles: readonly Role[];
  readonly isSelf: boolean;
  /** Whether those who run the house decide about the person: only the room does about residents. */
  readonly isManaged: boolean;
  invite(): void;
  changeRole(role: Role): void;
  remove(): void;
}

function Person({ person, roles, isSelf, isManaged, invite, changeRole, remove }: PersonProps) {
  const [isAsking, setAsking] = useState(false);
  return (
    <li>
      <div>
        <strong>{person.name}</strong>
        <p class="account-note">
          {person.has_joined ? t("people.devices", { count: person.sessions }) : t("people.never_here")}
        </p>
      </div>
      <RoleChoice
        name={t("people.change_role", { name: person.name })}
        roles={roles.includes(person.role) ? roles : [person.role, ...roles]}
        role={person.role}
        isDisabled={isSelf || !isManaged}
        choose={changeRole}
      />
      <div class="person-actions">
        {isManaged && (
          <button type="button" class="secondary" onClick={invite}>
            {t("people.invite_again")}
          </button>
        )}
        {isManaged && !isSelf && (
          <button type="button" class="secondary" onClick={() => (isAsking ? remove() : setAsking(true))}>
            {t(isAsking ? "people.remove.confirm" : "people.remove", { name: person.name })}
          </button>
        )}
      </div>
    </li>
  );
}

interface RoleChoiceProps {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly role: Role;
  readonly isDisabled?: boolean;
  choose(role: Role): void;
}

function RoleChoice({ name, roles, role, isDisabled = false, choose }: RoleChoiceProps) {
  return (
    <select
      aria-label={name}
      disabled={isDisabled}
      value={role}
      onChange={(event) => choose(event.currentTarget.value as Role)}
    >
      {roles.map((each) => (
        <option key={each} value={each}>
          {t(`role.${each}`)}
        </option>
      ))}
    </select>
  );
}

interface NewPersonProps {
  readonly roles: readonly Role[];
  add(name: string, role: Role): void;
}

function NewPerson({ roles, add }: NewPersonProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("visitor");
  const submit = (event: Event) => {
    event.preventDefault();
    add(name.trim(), role);
    setName("");
  };
  return (
    <form onSubmit={submit}>
      <input
        required
        maxLength={64}
        pattern=".*\S.*"
        autocomplete="off"
        placeholder={t("people.name")}
        aria-label={t("people.name")}
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <RoleChoice name={t("people.role")} roles={roles} role={role} choose={setRole} />
      <button type="submit" class="primary small">
        {t("people.invite")}
      </button>
      <p class="account-note">{t(`role.${role}.meaning`)}</p>
    </form>
  );
}

interface InvitationProps {
  readonly invitation: NewInvitation;
  readonly nowMs: number;
  close(): void;
}

/** A link works once, so it is shown once; from here it goes to its person in whatever way suits. */
function Invitation({ invitation, nowMs, close }: InvitationProps) {
  const [isCopied, setCopied] = useState(false);
  const section = useRef<HTMLElement>(null);
  useEffect(() => section.current?.scrollIntoView({ block: "nearest" }), [invitation]);
  const copy = () => {
    navigator.clipboard?.writeText(invitation.link).then(
      () => setCopied(true),
      () => {}, // the link is on the screen, and can be selected
    );
  };
  const when = whenText(nowMs + invitation.ends_in_s * 1000, nowMs);
  return (
    <section ref={section} class="invitation">
      <h3>{t("people.link", { name: invitation.name })}</h3>
      <img
        alt={t("people.qr", { name: invitation.name })}
        src={`data:image/svg+xml,${encodeURIComponent(invitation.qr_svg)}`}
      />
      <code>{invitation.link}</code>
      <p class="account-note">{t("people.link.detail", { name: invitation.name, when })}</p>
      <p class="account-note">{t("people.qr.detail", { name: invitation.name })}</p>
      <div class="person-actions">
        <button type="button" class="primary small" onClick={copy}>
          {t(isCopied ? "people.copied" : "people.copy")}
        </button>
        <button type="button" class="secondary" onClick={close}>
          {t("action.close")}
        </button>
      </div>
    </section>
  );
}
