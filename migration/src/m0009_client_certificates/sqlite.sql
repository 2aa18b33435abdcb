-- PEM: the certificate first, then its chain. It is no secret.
alter table rowhook_receivers add column client_certificate text;
-- Its private key, sealed; set exactly when the certificate is.
alter table rowhook_receivers add column client_key text;
