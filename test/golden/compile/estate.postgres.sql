BEGIN;
CREATE ROLE "web" LOGIN;
COMMENT ON ROLE "web" IS 'Managed by Signet.';
GRANT SELECT ON "public"."orders" TO "web";
GRANT INSERT ON "public"."orders" TO "web";
COMMIT;

-- pg_hba.conf
hostssl all "web" all cert map=signet
host all "web" all reject
local all "web" reject

-- pg_ident.conf
signet "web.shop" "web"
