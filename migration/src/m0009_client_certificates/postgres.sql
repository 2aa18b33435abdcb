-- PEM: the certificate first, then its chain. It is no secret.
alter table rowhook.receivers add column client_certificate text;
-- Its private key, sealed; set exactly when the certificate is.
alter table rowhook.receivers add column client_key text;
alter table rowhook.receivers add constraint client_certificate_and_key
    check ((client_certificate is null) = (client_key is null));
