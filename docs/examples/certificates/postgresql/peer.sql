-- Which workload is connected, by the certificate that PostgreSQL verified; and which database roles it may be.
CREATE EXTENSION IF NOT EXISTS sslinfo;
CREATE SCHEMA signet;
GRANT USAGE ON SCHEMA signet TO PUBLIC;

-- Who may be whom.
CREATE TABLE signet.holders (role name, spiffe_id text, PRIMARY KEY (role, spiffe_id));

-- The SPIFFE ID of this connection's client; NULL unless its certificate has exactly one URI name (X509-SVID §2).
CREATE FUNCTION signet.peer() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
  SELECT min(found[1])
  FROM ssl_extension_info() AS extension, regexp_matches(extension.value, '(?:^|, )URI:([^, ]+)', 'g') AS found
  WHERE extension.name = 'subjectAltName'
  HAVING count(*) = 1
$$;

-- Whether that workload may be the role it connected as. For a policy on each table:
--   ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
--   CREATE POLICY holders ON orders USING (signet.is_holder());
CREATE FUNCTION signet.is_holder() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT EXISTS (SELECT FROM signet.holders WHERE role = session_user AND spiffe_id = signet.peer())
$$;
