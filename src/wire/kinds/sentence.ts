import { Type } from "typebox";
import {
  exactlyOne,
  fields,
  labelName,
  labelSelector,
  listOf,
  moment,
  namespaceName,
  oneOf,
  optional,
  rule,
  text,
  withRules,
} from "./fields.ts";

/** `tcp/5432`, `tcp/8000-8100`, `udp/dns` (a named port), `tcp` (all its ports), `icmp/8`, `any`. */
export const PORT_TEXT =
  "^(any|(tcp|udp|sctp)(/([0-9]{1,5}(-[0-9]{1,5})?|([0-9]+(-[0-9]+)*-?)?[a-z](-?[a-z0-9])*))?|icmp(v6)?(/[0-9]{1,3})?)$";

/** A DNS name in lower case, perhaps with `*.` before it. */
const DNS_NAME = "^(\\*\\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";

const NUMBER = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";

const portsRun = rule(
  `!self.matches('^(tcp|udp|sctp)/[0-9-]+$') || self.matches('^[a-z]+/${NUMBER}(-${NUMBER})?$')`,
  "ports run from 1 to 65535: tcp/5432, udp/8000-8100",
);
const rangesRise = rule(
  "!self.matches('/[0-9]+-[0-9]+$') || int(self.split('/')[1].split('-')[0]) <= int(self.split('-')[1])",
  "ranges of ports run upwards: udp/8000-8100",
);
const typesRun = rule(
  "!self.startsWith('icmp') || !self.contains('/') || int(self.split('/')[1]) < 256",
  "ICMP types run from 0 to 255: icmp/8",
);
const addressRange = rule("isCIDR(self)", "cidr is an address and a prefix length, for example 10.0.0.0/8");

const PEER_FIELDS = [
  "role",
  "segment",
  "environment",
  "classification",
  "namespace",
  "cidr",
  "fqdn",
  "externalIdentity",
  "entity",
] as const;

/** One end of a sentence: exactly one way of naming it. */
export const peer = (description: string) =>
  fields(
    description,
    {
      role: optional(labelName("Workloads that hold this role.")),
      segment: optional(labelName("Workloads of every role of this segment.")),
      environment: optional(labelName("Workloads of every segment of this environment.")),
      classification: optional(labelName("Workloads of every segment of this classification.")),
      namespace: optional(
        fields("Pods of a namespace that have no role: what the platform brings.", {
          name: namespaceName("Name of the namespace."),
          podLabels: optional(labelSelector("Narrows to Pods with these labels.")),
        }),
      ),
      cidr: optional(text("Addresses outside, for example 10.0.0.0/8 or 2001:db8::/32.", 43, withRules(addressRange))),
      fqdn: optional(
        text("A DNS name outside in lower case, for example api.example.org or *.example.org.", 253, {
          pattern: DNS_NAME,
          form: "a DNS name",
        }),
      ),
      externalIdentity: optional(
        text("A SPIFFE ID of a federated trust domain.", 2048, {
          pattern: "^spiffe://[a-z0-9._-]+(/[a-zA-Z0-9._-]+)+$",
          form: "the SPIFFE ID of a workload",
        }),
      ),
      entity: optional(
        oneOf("nodes: the cluster's nodes; outside: all that is no workload; any: everybody.", [
          "nodes",
          "outside",
          "any",
        ]),
      ),
    },
    withRules(exactlyOne(PEER_FIELDS, `name exactly one of ${PEER_FIELDS.join(", ")}`)),
  );

const on = (description: string, options: object = {}) =>
  listOf(
    description,
    text("Protocol and port: tcp/5432, tcp/8000-8100, udp/dns, tcp, icmp/8 or any.", 20, {
      pattern: PORT_TEXT,
      form: "a port such as tcp/5432, udp/8000-8100, tcp/http, icmp/8 or any",
      ...withRules(portsRun, rangesRise, typesRun),
    }),
    64,
    options,
  );

const data = fields("Which data may pass, for targets that can tell.", {
  protocol: text("What is spoken: postgres, http, grpc …", 32, {
    pattern: "^[a-z0-9][a-z0-9-]*$",
    form: "a protocol in lower case",
  }),
  operations: optional(listOf("Operations: select, insert …; for HTTP the methods.", text("An operation.", 64), 32)),
  tables: optional(listOf("Tables, or schema.table.", text("A table.", 128), 128)),
  paths: optional(listOf("Paths of HTTP, a trailing * for all below.", text("A path.", 512), 128)),
  required: optional(
    Type.Boolean({
      description: "True: publishing is refused where no active target enforces this clause.",
      default: false,
    }),
  ),
});

const reasons = {
  why: optional(text("The reason, for whoever reads it in a year.", 1024)),
  ticket: optional(text("Where it was decided.", 256)),
};

const window = {
  notBefore: optional(moment("From when on it counts.")),
  expires: optional(moment("Until when it counts.")),
};

const inOrder = rule(
  "!has(self.notBefore) || !has(self.expires) || timestamp(self.notBefore) < timestamp(self.expires)",
  "notBefore must lie before expires",
);

/** One allow line. */
export const sentence = fields(
  "One sentence: who may reach whom, on which ports, for which data, and why.",
  {
    from: peer("Who connects."),
    to: peer("Who is connected to."),
    on: on("Ports, for example tcp/5432, udp/53, tcp/8000-8100, or any.", { minItems: 1 }),
    data: optional(data),
    ...reasons,
    ...window,
  },
  withRules(inOrder),
);

/** One deny line of a guardrail; without `on` it denies everything. */
export const denial = fields(
  "One thing that nobody may do, whatever a sentence says.",
  {
    from: peer("Who connects."),
    to: peer("Who is connected to."),
    on: optional(on("Ports; left out: all.", { minItems: 1 })),
    ...reasons,
    ...window,
  },
  withRules(inOrder),
);

/** The connection that an exception grants. */
export const grantedSentence = fields("The connection that is granted.", {
  from: peer("Who connects."),
  to: peer("Who is connected to."),
  on: on("Ports.", { minItems: 1 }),
});
