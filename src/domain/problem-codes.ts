/**
 * What sort of thing a code speaks of; each voice (HTTP, admission, gRPC) has one table from sorts to its statuses.
 * refusal: a verdict. finding: noticed, by lint or analysis. input: cannot be read as written. oversize: more than a limit.
 * absent: there is no such thing. conflict: somebody else was first. unauthenticated: who asks is not known.
 * unready: try again. excess: too many of one caller. fault: ours, or the machine's.
 */
export type ProblemSort =
  | "refusal"
  | "finding"
  | "input"
  | "oversize"
  | "absent"
  | "conflict"
  | "unauthenticated"
  | "unready"
  | "excess"
  | "fault";

/** What `signet help CODE` says of a code: what happened, why that is refused or reported, and what to do. */
export type Explanation = {
  readonly sort: ProblemSort;
  readonly title: string;
  readonly why: string;
  readonly mend: string;
};

/**
 * Every code that a Problem may carry. Codes are stable: scripts match on them. docs/problems.md is made of this table.
 */
export const PROBLEM_CODES = {
  ROLE_NONE: {
    sort: "refusal",
    title: "No role fits the workload.",
    why: "A workload of an enrolled namespace needs exactly one role. A role fits by namespace, service account, kind, labels and creator; labels only narrow, and the service account `default` fits only a role that names it.",
    mend: "Run the workload under a service account that a role names, or have a WorkloadRole for it approved. `signet why KIND/NAME` lists each role and what keeps it from fitting.",
  },
  ROLE_AMBIGUOUS: {
    sort: "refusal",
    title: "More than one role fits the workload.",
    why: "There is no order of specificity between roles: two fits are two fits, and Signet does not guess.",
    mend: "Give each role a service account of its own, or pick one of those that fit with the annotation signet.dev/use-role.",
  },
  ROLE_NOT_ENTITLED: {
    sort: "refusal",
    title: "The workload asks for a role that it is not entitled to.",
    why: "An annotation or a label points to something granted elsewhere; it never grants. The role named does not fit this workload.",
    mend: "Take the annotation or label away, or run the workload under a service account that the role names.",
  },
  IDENTITY_SPANS_SEGMENTS: {
    sort: "refusal",
    title: "The workload's identity belongs to roles of two segments.",
    why: "Segment is a function of identity: all roles that can cover one namespace and service account must be in one segment, or two workloads with one SPIFFE ID could be in two rooms.",
    mend: "Give the roles different service accounts, or put them in one segment. `signet lint` names every such account.",
  },
  SEGMENT_STRICT: {
    sort: "refusal",
    title: "A strict segment shares its namespace with roles of another segment.",
    why: "Whoever may create Pods in a namespace can be every role entitled there, so a segment with `isolation: strict` refuses to share one.",
    mend: "Move the other segment's roles to a namespace of their own.",
  },
  IDENTITY_INVALID: {
    sort: "refusal",
    title: "Namespace or service account cannot be part of a SPIFFE ID.",
    why: "A SPIFFE ID is joined from whole path segments of letters, digits, dots, dashes and underscores (SPIFFE-ID §2.2).",
    mend: "Rename the namespace or the service account.",
  },
  APPROVAL_MISSING: {
    sort: "refusal",
    title: "The role or its segment is not known to be approved.",
    why: "With --require-approval, and in a cluster, only an approved generation is in force. A bare folder of YAML carries no approvals.",
    mend: "Judge against `signet catalogue export` of a cluster, or have somebody with the verb `approve` approve the definition.",
  },
  APPROVAL_NOT_YOURS: {
    sort: "refusal",
    title: "This generation is not yours to approve.",
    why: "A generation is approved by somebody who did not edit it. Service accounts do not approve, and where it is not known who edited, nobody can.",
    mend: "Ask somebody else with the verb `approve`; `signet approvals` lists what waits for whom.",
  },
  APPROVAL_STALE: {
    sort: "conflict",
    title: "The object is no longer what was to be approved.",
    why: "It was edited since: an approval is for one generation, and nobody approves what he has not seen.",
    mend: "Look at the newest generation with `signet approvals`, and approve that.",
  },
  FORGED: {
    sort: "refusal",
    title: "The workload carries a stamp that Signet did not give it.",
    why: "Labels and annotations under signet.dev/ and role.signet.dev/ say who a workload is; nobody but Signet writes them.",
    mend: "Take the reserved keys out of the manifest; admission writes them.",
  },
  LAUNCHER_FORGED: {
    sort: "refusal",
    title: "The Pod gives itself out as a virt-launcher and is none.",
    why: "A launcher is a Pod that KubeVirt's virt-controller created for a VirtualMachineInstance that lives, under its account and with it as controller by UID. Labels and owner references alone can be written by anybody, and other parts of a cluster trust them.",
    mend: "Start a VirtualMachine instead. If KubeVirt made the Pod, its account is not the one that Signet knows: name it in `cluster.virtControllers` and in the webhook configuration (component kubevirt or openshift-virtualization).",
  },
  LAUNCHER_UNKNOWN: {
    sort: "finding",
    title: "The instance behind a launcher could not be looked up.",
    why: "The snapshot does not have the VirtualMachineInstance, and the API server did not answer in time. A migration never waits for Signet: the launcher keeps the stamp that KubeVirt copied from the instance, and is looked at again.",
    mend: "Nothing, if it happens once. If it goes on, look at /readyz and at the load of the API server.",
  },
  RESTRICTED: {
    sort: "refusal",
    title: "A Restriction stops the machine from starting or moving.",
    why: "A quarantined or revoked machine stays where it is until the Restriction is lifted. It is the only thing that stops a migration.",
    mend: "Have the Restriction lifted, which needs an approval by somebody else.",
  },
  STAMP_OVERWRITTEN: {
    sort: "refusal",
    title: "A reserved key was overwritten.",
    why: "The object came with a label or annotation under Signet's prefixes whose value is not the one that follows from its role. Admission replaces it.",
    mend: "Take the key out of the manifest.",
  },
  ROLE_CHANGED: {
    sort: "refusal",
    title: "A change would give a running workload another role.",
    why: "Identity is given once, at creation: the certificate and the rules of a running workload follow the role it was created with.",
    mend: "Create the workload anew with the changed labels.",
  },
  STAMP_MISSING: {
    sort: "refusal",
    title: "The workload has no stamp.",
    why: "Validation saw an object that mutation had not stamped: the mutating webhook did not answer, or was not asked.",
    mend: "Create the workload again once the mutating webhook answers.",
  },
  HOST_NETWORK: {
    sort: "refusal",
    title: "The Pod uses the node's network.",
    why: "A Pod on the host network has the node's address and is outside every network policy.",
    mend: "Take hostNetwork away, or have `hostNetwork` permitted by the role or by an exception.",
  },
  HOST_PID: {
    sort: "refusal",
    title: "The Pod sees the node's processes.",
    why: "Through /proc it can read the keys of every workload on the node.",
    mend: "Take hostPID away, or have `hostPID` permitted by the role or by an exception.",
  },
  HOST_IPC: {
    sort: "refusal",
    title: "The Pod shares the node's IPC namespace.",
    why: "Shared memory of other processes on the node is open to it.",
    mend: "Take hostIPC away, or have `hostIPC` permitted by the role or by an exception.",
  },
  HOST_PATH: {
    sort: "refusal",
    title: "The Pod mounts a path of the node.",
    why: "Kubelet's directories, sockets and other Pods' keys lie in the node's file system.",
    mend: "Use another kind of volume, or have `hostPath:/the/path` permitted by the role or by an exception.",
  },
  HOST_PROCESS: {
    sort: "refusal",
    title: "The Pod runs as a Windows host process.",
    why: "A HostProcess container is a process of the node.",
    mend: "Take hostProcess away, or have `hostProcess` permitted by the role or by an exception.",
  },
  PRIVILEGED: {
    sort: "refusal",
    title: "A container is privileged.",
    why: "A privileged container is root on the node, in all but name.",
    mend: "Take privileged away, or have `privileged` permitted by the role or by an exception.",
  },
  CAPABILITY_ADDED: {
    sort: "refusal",
    title: "A container adds a Linux capability beyond those that runtimes give by default.",
    why: "Capabilities such as NET_ADMIN or SYS_ADMIN can undo what encloses the workload.",
    mend: "Drop the capability, or have `capability:NAME` permitted by the role or by an exception.",
  },
  SIGNER_VOLUME: {
    sort: "refusal",
    title: "The Pod mounts a certificate of Signet's signer by itself.",
    why: "Certificates are delivered in volumes that admission writes, with tight modes; one that the manifest brings is not ours.",
    mend: "Take the volume out of the manifest and set `identity.delivery: podCertificate` on the role, or have `signerVolume` permitted.",
  },
  VOLUME_COLLISION: {
    sort: "refusal",
    title: "The Pod uses a name or a place that its certificate needs.",
    why: "Certificates are delivered in the volumes signet-svid and signet-trust below /var/run/secrets/signet.dev. What the manifest has there is not overwritten.",
    mend: 'Rename the volume, mount it elsewhere, or keep certificates out of a container with the variable SIGNET_INJECT set to "false".',
  },
  UNCOVERED_INTERFACE: {
    sort: "refusal",
    title: "The workload has a network interface that no active target covers.",
    why: "Rules sit on the Pod network. Traffic of a secondary, localnet or bridge network passes them by.",
    mend: "Take the network away, or have `uncoveredInterfaces` permitted by the role or by an exception.",
  },
  EXCEPTION_MISSING: {
    sort: "refusal",
    title: "The exception that the workload points to does not exist.",
    why: "The annotation signet.dev/exception names a SegmentException of the workload's own namespace; it grants nothing by itself.",
    mend: "Create the SegmentException and have it approved, or take the annotation away.",
  },
  EXCEPTION_EXPIRED: {
    sort: "refusal",
    title: "The exception has ended.",
    why: "A grant has an end; after it the workload is judged as if there were none.",
    mend: "Mend what the exception was for, or have a new one approved.",
  },
  EXCEPTION_NOT_YET: {
    sort: "refusal",
    title: "The exception has not begun.",
    why: "Its `notBefore` lies ahead.",
    mend: "Wait until then, or have one approved that begins earlier.",
  },
  EXCEPTION_TOO_LONG: {
    sort: "refusal",
    title: "The exception lasts longer than its class allows.",
    why: "How long an exception may last is capped by the segments it concerns: `exceptions.maxDuration`, or 90 days, or 31 where there is a classification. One that was not approved by a server counts for as long before its end, and no longer.",
    mend: "Let it end earlier; extend it when the time comes.",
  },
  EXCEPTION_UNAPPROVED: {
    sort: "refusal",
    title: "The exception is not approved.",
    why: "An exception counts when somebody other than its editors has approved it.",
    mend: "Ask somebody with the verb `approve` on it.",
  },
  EXCEPTION_UNSIGNED: {
    sort: "refusal",
    title: "The exception is not granted by a signature.",
    why: "Where `grants.required` is set, or --require-signed-grants, only a signed grant lets an exception count: what a folder or a cluster says of approvals is not believed.",
    mend: "Have it signed with `signet exceptions grant`, by a key that is trusted, and put the grant where the others are.",
  },
  EXCEPTION_MISMATCH: {
    sort: "refusal",
    title: "The exception does not cover what is refused.",
    why: "It permits one check for the workloads of one role; this is another check, path or role.",
    mend: "Point to an exception for this check and role, or request one.",
  },
  GRANT_UNREADABLE: {
    sort: "input",
    title: "A file holds no signed grant.",
    why: "A grant is one JWS in compact form whose payload names an exception, its namespace with UID, and its end.",
    mend: "Have it signed anew with `signet exceptions grant`.",
  },
  GRANT_UNTRUSTED: {
    sort: "refusal",
    title: "A grant is not signed by a key that is trusted.",
    why: "Only ES256 counts, by a key made for grants, over exactly these bytes. A grant that was altered, is signed in another way or by another key is nobody's.",
    mend: "Name the public keys of those who may grant (--grant-keys, `grants.keys`), or have it signed by one of them.",
  },
  GRANT_NAMESPACE: {
    sort: "refusal",
    title: "The grant is for another namespace.",
    why: "A signed grant is bound to the UID of its namespace, so that one made anew under the old name has none.",
    mend: "Judge by a catalogue that holds the Namespace with its UID (`signet catalogue export`), or have a grant signed for this one.",
  },
  ROLE_DEAD: {
    sort: "finding",
    title: "A role can match nothing.",
    why: "Its segment does not exist, or none of the namespaces that it names belongs to that segment.",
    mend: "Name namespaces of the segment, or delete the role.",
  },
  SEGMENT_UNUSED: {
    sort: "finding",
    title: "A segment has no roles.",
    why: "No workload can be in it.",
    mend: "Write a WorkloadRole for it, or delete it.",
  },
  NAMESPACE_SPANS_SEGMENTS: {
    sort: "finding",
    title: "A namespace holds roles of two segments.",
    why: "The namespace is the unit of trust: whoever may create Pods there can be in either segment.",
    mend: "Give each segment namespaces of its own.",
  },
  ACCOUNT_SHARED: {
    sort: "finding",
    title: "Several roles share one service account.",
    why: "They are one principal: targets that enforce by identity cannot tell them apart.",
    mend: "Give each role a service account of its own.",
  },
  REFERENCE_DEAD: {
    sort: "finding",
    title: "A definition names something that does not exist.",
    why: "A sentence, fence or exception about a role or segment that nobody defined has no effect.",
    mend: "Correct the name, or define what it names.",
  },
  TRUST_DOMAIN_DEFAULT: {
    sort: "finding",
    title: "No trust domain is defined.",
    why: "Identities then carry the name cluster.local, which another cluster may carry too.",
    mend: "Write a TrustDomain named `local` with a domain of your own.",
  },
  TRUST_DOMAIN_TWICE: {
    sort: "finding",
    title: "Two TrustDomains have one domain.",
    why: "A domain has one bundle. Under two names it would come from two places, and one named as another's while it is ours would never be fetched.",
    mend: "Keep one of the two, and let roles federate with that.",
  },
  IDENTITY_OWN: {
    sort: "finding",
    title: "An identity of our own trust domain is named as one of another.",
    why: "`externalIdentity` means somebody of a federated domain. Who is ours is known by role, and such a line has no effect.",
    mend: "Name the role that holds the identity.",
  },
  YAML_SYNTAX: {
    sort: "input",
    title: "A text is not YAML or JSON.",
    why: "Nothing is guessed from a broken document: the whole file is refused.",
    mend: "Mend the text at the line and column named.",
  },
  FIELD_UNKNOWN: {
    sort: "input",
    title: "An object has a field that its kind does not know.",
    why: "A field that is silently dropped is a rule that is silently missing. In a foreign policy it is a warning: the API server drops the field, and what remains applies.",
    mend: "Correct the spelling, or take the field away. `signet crds` and `kubectl explain` list the fields.",
  },
  FIELD_MISSING: {
    sort: "input",
    title: "A required field is missing.",
    why: "Without it the object has no meaning.",
    mend: "Write the field.",
  },
  FIELD_INVALID: {
    sort: "input",
    title: "A field has a value that it cannot have.",
    why: "Values are never trimmed, coerced or guessed.",
    mend: "Write a value of the form that the message names.",
  },
  FIELD_CONFLICT: {
    sort: "input",
    title: "Fields contradict each other.",
    why: "Each alone would be right; together they have no meaning.",
    mend: "Keep those that you mean.",
  },
  KIND_UNKNOWN: {
    sort: "input",
    title: "The kind is not one of Signet's.",
    why: "An object of group signet.dev has a kind or version that this Signet does not know.",
    mend: "Correct the kind or the apiVersion. `signet crds` lists the kinds.",
  },
  OBJECT_DUPLICATE: {
    sort: "input",
    title: "Two objects have one kind and one name.",
    why: "Which of them is meant cannot be known.",
    mend: "Delete or rename one of them.",
  },
  FILE_UNREADABLE: {
    sort: "fault",
    title: "A file or folder could not be read.",
    why: "It does not exist, or may not be opened.",
    mend: "Check the path and its permissions.",
  },
  IMPERSONATION_REFUSED: {
    sort: "refusal",
    title: "Somebody asks for an identity that is not its own.",
    why: "A caller gets certificates for itself. A node proxy, as ztunnel is, may ask for identities of Pods that run on its own node, where the server's configuration names its account and it shows a token that is bound to its Pod.",
    mend: "Name the proxy's account in grpc.nodeProxies, and ask only for identities of Pods of its node.",
  },
  INPUT_TOO_LARGE: {
    sort: "oversize",
    title: "An input is larger than its limit.",
    why: "Limits keep one caller from using up the memory of all.",
    mend: "Send less, or split it.",
  },
  INPUT_EMPTY: {
    sort: "input",
    title: "There is nothing to judge.",
    why: "The input holds no workload.",
    mend: "Name a file or folder with Pods, Deployments, VMs or other workloads.",
  },
  USAGE: {
    sort: "input",
    title: "The command was not understood.",
    why: "An argument is missing, unknown or of the wrong form.",
    mend: "`signet help` and `signet COMMAND --help` show the arguments with examples.",
  },
  REVIEW_INVALID: {
    sort: "input",
    title: "The request is not an AdmissionReview that can be read.",
    why: "The API server sends admission.k8s.io/v1 AdmissionReview as JSON; anything else is answered without a verdict.",
    mend: "Check which webhook configuration sends it.",
  },
  NOT_FOUND: {
    sort: "absent",
    title: "What was asked for does not exist.",
    why: "No object, record or route has this name.",
    mend: "Check the name.",
  },
  NOT_READY: {
    sort: "unready",
    title: "The server is not ready.",
    why: "It is starting, draining, or has no readable catalogue yet.",
    mend: "Try again in a moment; /readyz says what is missing.",
  },
  API_CONFLICT: {
    sort: "conflict",
    title: "The object was changed by somebody else, or is already there.",
    why: "Writes to the API server name the version they were made from; another write came first.",
    mend: "Read the object again and repeat the change.",
  },
  API_FORBIDDEN: {
    sort: "refusal",
    title: "The API server does not allow it.",
    why: "The account has no permission, or an admission webhook refuses.",
    mend: "The message says which; permissions are listed in the RBAC manifest.",
  },
  API_REFUSED: {
    sort: "input",
    title: "The API server refuses the object.",
    why: "It breaks a rule of its kind, or one of an admission policy.",
    mend: "Correct what the message names.",
  },
  CALLER_UNKNOWN: {
    sort: "unauthenticated",
    title: "The caller of a webhook is not one that may ask.",
    why: "Where `clients` is configured, the webhooks answer only callers with a client certificate of that authority and one of those names. Others could learn from verdicts what the catalogue holds.",
    mend: "Give the API server a client certificate in the kubeConfigFile of its admission configuration, and list its common name under `clients.names`.",
  },
  TOKEN_REFUSED: {
    sort: "unauthenticated",
    title: "A token was not accepted.",
    why: "It is not valid, has ended, or was issued for another audience.",
    mend: "Use a token that was issued for Signet.",
  },
  INTERNAL: {
    sort: "fault",
    title: "Signet failed.",
    why: "This is a fault of ours. The log has its cause; the answer has not, so that no secret leaves.",
    mend: "Report it with the log line.",
  },
  DATABASE_UNREADABLE: {
    sort: "unready",
    title: "A PostgreSQL cannot be read.",
    why: "It is away, or refuses whoever connects; or nothing was ever copied to it. No record of a ledger is lost by that: each is in a local file first.",
    mend: "Check that it runs, and that the part `database` of the server's configuration, or the file named with --database, is right.",
  },
  DATABASE_REFUSED: {
    sort: "fault",
    title: "A PostgreSQL refused a statement, or lines of its files.",
    why: "A table that a sentence names is missing, or the account that Signet uses may not grant. Grants change in one transaction, which stays whole or not at all: the message says which.",
    mend: "Do what the message says, and run the command again.",
  },
  DATABASE_ROLE_TAKEN: {
    sort: "conflict",
    title: "A database role of a caller's name is not of our making.",
    why: "Signet looks after the roles that carry its comment, and touches no other: what they were granted may be somebody's intent.",
    mend: "Rename the role, or hand it over by the comment that the message gives.",
  },
  DATABASE_WIDER: {
    sort: "refusal",
    title: "A database role may do more than the sentences mean.",
    why: "What roles may do is looked at before the transaction ends, whoever lets them: PUBLIC, other roles, or ownership. More than is meant is never published.",
    mend: "Take away what the message names; Signet does not, since others may rest on it.",
  },
  LEDGER_BROKEN: {
    sort: "fault",
    title: "The ledger's chain does not verify.",
    why: "A record was changed, removed or inserted after it was written.",
    mend: "Keep the file as it is, and compare it with a signed head that was kept elsewhere (`signet ledger verify --head FILE`), or with its copy in PostgreSQL.",
  },
  CSR_INVALID: {
    sort: "input",
    title: "A certificate request cannot be accepted.",
    why: "A request proves one thing: that its sender holds the private key. What is not PKCS#10 to the letter, is signed with another key, or asks for two names is refused whole; what it asks for otherwise is never looked at.",
    mend: "Make the request anew with one key, and sign it with that key.",
  },
  KEY_TYPE_REFUSED: {
    sort: "refusal",
    title: "The key is not of a type that certificates are issued for.",
    why: "Leaf certificates have keys on P-256, P-384 or P-521, RSA keys of 3072 or 4096 bits with exponent 65537, or Ed25519 keys. Others are weak, slow, or not known to every verifier.",
    mend: "Make a key of one of those types; where a type was asked for, of that one.",
  },
  REQUEST_UNTRUE: {
    sort: "refusal",
    title: "A request for a Pod's certificate names what is not there.",
    why: "The API server proves Pod, service account and node of a request only where a node asks. Signet holds each name and UID against live objects; what does not fit can never be right, and is denied for good.",
    mend: "Make the Pod anew; kubelet then asks again. If nobody knows who made the request, look at the audit log for creations of podcertificaterequests.",
  },
  RATE_LIMITED: {
    sort: "excess",
    title: "An identity asks for more than its share.",
    why: "Each identity has a share of its own, so that one that asks without end takes nothing from the others.",
    mend: "Wait for the time in the header Retry-After. A certificate is renewed at half of its lifetime, not before.",
  },
  CERTIFICATE_UNLAWFUL: {
    sort: "refusal",
    title: "A certificate would break a rule that all certificates keep.",
    why: "The whole contents of a certificate are checked before it is signed: rules of X509-SVID, of its profile, and of its issuer.",
    mend: "The message names the part; role, segment, trust domain and profile decide it.",
  },
  TTL_TOO_SHORT: {
    sort: "refusal",
    title: "A lifetime is shorter than certificates may have.",
    why: "A certificate that ends before its holder could renew it is an outage. The profile names the least.",
    mend: "Ask for a longer lifetime, or raise maxTTL of role, segment or trust domain.",
  },
  SVID_INVALID: {
    sort: "unauthenticated",
    title: "A certificate does not prove an identity.",
    why: "An X.509-SVID counts only where its whole chain ends at a root of its own trust domain, every certificate holds now, and leaf and authorities keep the rules of X509-SVID.",
    mend: "Fetch a current certificate; the message names the rule that this one breaks.",
  },
  IDENTITY_RESTRICTED: {
    sort: "refusal",
    title: "A quarantine or a revocation stands against the identity.",
    why: "While a Restriction names the identity, its certificate, its role, its segment, or where it runs, nothing is issued and its certificates are not accepted.",
    mend: "Find out why: `kubectl describe restriction NAME`. Whoever may approve restrictions can lift it.",
  },
  AUTHORITY_UNAVAILABLE: {
    sort: "unready",
    title: "No authority can sign now.",
    why: "There is none that is active, the active one ends too soon for a certificate of the least lifetime, or this replica has not read for five minutes which ones are trusted.",
    mend: "`signet ca status` says where each authority stands; `signet ca rotate` makes the next one.",
  },
  AUTHORITY_INVALID: {
    sort: "refusal",
    title: "A certificate is not one of an authority of this trust domain.",
    why: "An authority may sign certificates, has a key identifier and a subject of its own, and names no other trust domain.",
    mend: "Sign the request of `signet ca csr` as it is, without taking extensions away.",
  },
  BUNDLE_UNAVAILABLE: {
    sort: "unready",
    title: "The bundle of another trust domain could not be fetched.",
    why: "Its endpoint did not answer in time, is not who it should be, redirects to where nothing is fetched, or answers otherwise than with a bundle. The last good bundle stays.",
    mend: "`kubectl get trustdomain NAME -o yaml` says what happened; docs/federation.md says what to do about each.",
  },
  AUTHORITY_COMPROMISED: {
    sort: "unauthenticated",
    title: "A certificate was signed by a key that is in wrong hands.",
    why: "Since `signet ca rotate --compromised` nobody can tell a true certificate of that authority from a forged one, so our doors exchange none of them, even while its root is in the bundle.",
    mend: "Show another proof: a service account token that is bound to the Pod, or a new invitation for a machine or function.",
  },
  AUTHORITIES_UNREADABLE: {
    sort: "fault",
    title: "What is kept of the authorities cannot be read.",
    why: "It is damaged, or was written by a newer Signet. Nothing is issued by half of it, and nothing is made anew in its place.",
    mend: "Bring it back from a backup, or follow the runbook for a lost authority.",
  },
  ROTATION_REFUSED: {
    sort: "conflict",
    title: "A step of a rotation cannot be made now.",
    why: "Steps are never skipped: an authority signs only after everybody has had time to get its root, and a root leaves the bundle only after everything signed below it has expired. Otherwise handshakes would fail.",
    mend: "Wait for what the message names; the rotation goes on by itself.",
  },
  LEDGER_UNAVAILABLE: {
    sort: "unready",
    title: "The ledger cannot be written.",
    why: "No certificate leaves before it is durable in the ledger, so that none exists outside it.",
    mend: "Look at the server's log and at the disk that holds the state folder; then ask again.",
  },
  OBJECT_SKIPPED: {
    sort: "finding",
    title: "An object of the input was not looked at.",
    why: "Its kind is not evaluated here, or counts only where several networks are analysed. An answer may be wider than the truth.",
    mend: "Where the message names --multiple-networks, add it.",
  },
  NETWORK_IGNORED: {
    sort: "finding",
    title: "A network, or a policy for one, has no effect.",
    why: "A primary user-defined network isolates only namespaces that opted in by label, and a secondary network must have its NetworkAttachmentDefinition in the input.",
    mend: "Label the Namespace object, or add the missing definition to the input.",
  },
  PEER_UNSUPPORTED: {
    sort: "finding",
    title: "A peer of a policy cannot be evaluated.",
    why: "Nodes and domain names are not addresses. Such a peer fails closed: an allowing rule matches nothing by it.",
    mend: "Write the addresses as networks where that is meant.",
  },
  PORT_NAME_UNMATCHED: {
    sort: "finding",
    title: "A named port matches nothing.",
    why: "Names of ports are looked up in the destination's container ports; this destination lists none of that name and protocol. The entry does not become all ports.",
    mend: "Name the container port, or write its number in the policy.",
  },
  ADDRESS_V6_UNLISTED: {
    sort: "finding",
    title: "An IPv6 range is not shown in lists.",
    why: "Lists of connectivity cut the outside into IPv4 ranges. Single questions answer IPv6 addresses too.",
    mend: "Ask with `signet policy allows` for an IPv6 address.",
  },
  ADDRESS_UNKNOWN: {
    sort: "finding",
    title: "A rule asks for the address of a Pod that is not known.",
    why: "ClusterNetworkPolicy matches Pods by address, and a manifest has none. The rule fails closed: an allowing one matches nothing, a denying one denies.",
    mend: "Analyse Pods as the cluster holds them, with status.podIPs.",
  },
  WORKLOAD_LABELS_DIFFER: {
    sort: "input",
    title: "Pods of one owner are told apart by a policy.",
    why: "All Pods of one owner are one workload; a selector that fits some of them and not others leaves no one answer.",
    mend: "Give all Pods of the owner the labels that policies look at.",
  },
  WORKLOAD_UNKNOWN: {
    sort: "input",
    title: "A workload that was asked for is not in the input.",
    why: "Names match `name` or `namespace/name`.",
    mend: "`signet policy connectivity DIR` lists the workloads.",
  },
  INGRESS_BLOCKED: {
    sort: "finding",
    title: "An Ingress or Route opens a workload that policies close.",
    why: "The ingress controller is a Pod like others: the policies of its target must let it in.",
    mend: "Allow the ingress controller's namespace on the port, or remove the Ingress or Route.",
  },
  POLICY_PRIORITY_SHARED: {
    sort: "input",
    title: "Two tiered policies have one priority.",
    why: "Which of them is asked first is undefined, so what they decide together is too.",
    mend: "Give each policy of a tier a priority of its own.",
  },
  CONNECTION_GAINED: {
    sort: "finding",
    title: "A change lets two ends talk that could not before.",
    why: "The manifests after the change allow more between these two than those before.",
    mend: "Check that the connection is wanted; `signet policy allows` names the rule that allows it.",
  },
  CONNECTION_LOST: {
    sort: "finding",
    title: "A change stops two ends from talking.",
    why: "The manifests after the change allow less between these two than those before.",
    mend: "Check that nobody needs the connection; `signet policy allows` names the rule that denies it.",
  },
  POLICY_DUPLICATE: {
    sort: "finding",
    title: "Two policies do exactly the same.",
    why: "They select the same Pods and have the same rules; one of them is forgotten when the other is changed.",
    mend: "Delete one of the two.",
  },
  POLICY_CONTRADICTION: {
    sort: "finding",
    title: "A rule says the opposite of one that comes before it.",
    why: "The earlier rule decides everything that this one means, so what is written here is not what happens.",
    mend: "Delete one of the two, or change their order or priority.",
  },
  POLICY_SHADOWED: {
    sort: "finding",
    title: "A rule never decides.",
    why: "Rules that come before it decide everything that it means.",
    mend: "Delete it, or move it before those.",
  },
  POLICY_REDUNDANT: {
    sort: "finding",
    title: "A rule allows nothing that others do not allow without it.",
    why: "Whoever deletes it later believes to close something, and closes nothing.",
    mend: "Delete the rule.",
  },
  POLICY_CONSOLIDATABLE: {
    sort: "finding",
    title: "Policies or rules could be written as one.",
    why: "What belongs together is easier to review in one place.",
    mend: "Write them as one.",
  },
  POLICY_IRRELEVANT: {
    sort: "finding",
    title: "A policy, or a part of it, has no effect.",
    why: "It has no rules, acts on no network, or has rules in a direction that it does not cover.",
    mend: "Delete it, or say what was meant.",
  },
  POLICY_OVER_PERMISSIVE: {
    sort: "finding",
    title: "A rule opens every port to everybody.",
    why: "It allows all there is in its direction; other rules and policies can no longer narrow it.",
    mend: "Name the peers, or at least the ports.",
  },
  SELECTOR_DEAD: {
    sort: "finding",
    title: "A selector means nobody.",
    why: "No workload of the input has these labels in the namespaces looked at: a misspelt label opens nothing, or protects nobody.",
    mend: "Correct the labels, or add the workloads that are meant to the input.",
  },
  SELECTOR_NULL: {
    sort: "finding",
    title: "A selector is written but empty.",
    why: "`matchLabels:` without an entry selects everything, which is seldom what the indentation suggests.",
    mend: "Write `{}` if everything is meant, else the labels.",
  },
  ANNOTATION_DEAD: {
    sort: "finding",
    title: "An annotation has no effect any more.",
    why: "Namespaces were isolated by net.beta.kubernetes.io/network-policy before NetworkPolicy v1; no current Kubernetes reads it.",
    mend: "Write a NetworkPolicy that selects every Pod and has no rules.",
  },
  SERVICE_UNREACHABLE: {
    sort: "finding",
    title: "Policies let nobody reach a Service.",
    why: "No workload of the input, and nothing outside, may reach the Pods behind it on its ports.",
    mend: "Allow its clients, or delete the Service.",
  },
  SENTENCE_DUPLICATE: {
    sort: "finding",
    title: "A sentence stands twice.",
    why: "Whoever deletes one of the two later believes to close something, and closes nothing.",
    mend: "Delete one of the two.",
  },
  SENTENCE_CONTRADICTED: {
    sort: "finding",
    title: "A sentence opens what a guardrail closes.",
    why: "A guardrail's denial or fence ends a flow, whatever sentences say; only an exception that names exactly this lifts it.",
    mend: "Delete the sentence, or have an exception approved.",
  },
  SENTENCE_REDUNDANT: {
    sort: "finding",
    title: "A sentence opens nothing that another does not open without it.",
    why: "It says less than a wider one beside it, so the connection stays open when it is deleted.",
    mend: "Delete it, or narrow the wider one.",
  },
  SENTENCE_SHADOWED: {
    sort: "finding",
    title: "A denial never decides.",
    why: "Another denial or a fence denies all that it does.",
    mend: "Delete it.",
  },
  SENTENCE_CONSOLIDATABLE: {
    sort: "finding",
    title: "Sentences could be written as one.",
    why: "They differ in their ports only; what belongs together is easier to review in one place.",
    mend: "Write one sentence with the ports of both.",
  },
  SENTENCE_IDLE: {
    sort: "finding",
    title: "A sentence has no effect.",
    why: "It is not approved, or stands where its writer has no say: a sentence is written by the owner of its destination, or of its source where the destination is outside.",
    mend: "Have it approved, or let the owner of the destination write it in a namespace of its segment.",
  },
  SENTENCE_OVER_PERMISSIVE: {
    sort: "finding",
    title: "A sentence opens every port, or opens to everybody.",
    why: "Each connection that nobody needs is a way for an attacker.",
    mend: "Name the ports and who connects.",
  },
  SENTENCE_DEAD: {
    sort: "finding",
    title: "A sentence means nobody.",
    why: "No workload of the files is who it names, or lists the port that it names.",
    mend: "Correct the name or the labels, or delete the sentence.",
  },
  SENTENCE_EXPIRED: {
    sort: "finding",
    title: "A sentence has ended.",
    why: "After `expires` a line counts for nothing, and only looks as if it did.",
    mend: "Delete it, or write anew until when it holds.",
  },
  SENTENCE_WHY_MISSING: {
    sort: "finding",
    title: "A sentence does not say why.",
    why: "Whoever reviews it in a year, and the auditor, ask for the business need (PCI DSS 1.2.5).",
    mend: "Write `why`, and a ticket where there is one.",
  },
  DENIAL_BY_NAME: {
    sort: "finding",
    title: "A guardrail denies by a name.",
    why: "A flow to an address doesn't say which DNS name or identity is behind it. What is not known is denied, so such a denial closes every outside end without a known name.",
    mend: "Deny by addresses, or leave out the sentences that open it.",
  },
} as const satisfies Readonly<Record<string, Explanation>>;

/** A stable code of a refusal or finding. */
export type ProblemCode = keyof typeof PROBLEM_CODES;
